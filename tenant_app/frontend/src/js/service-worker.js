/* Shows what is pushed, and opens what it is about in a tab of its own: nothing that is being typed elsewhere is lost. */

/** @typedef {{ title: string, body: string, url: string, tag: string }} Said */
const worker = /** @type {any} */ (self);

worker.addEventListener("push", (/** @type {any} */ event) => {
  /** @type {Said | undefined} */
  const said = event.data?.json();
  if (!said) return;
  const { title, body, tag, url } = said;
  event.waitUntil(worker.registration.showNotification(title, { body, tag, data: { url } }));
});

worker.addEventListener("notificationclick", (/** @type {any} */ event) => {
  event.notification.close();
  const url = new URL(event.notification.data.url, location.origin);
  if (url.origin === location.origin) event.waitUntil(worker.clients.openWindow(url.href));
});
