/* How pjproject is built for the gateway: a B2BUA without sound card or picture, with room for a thousand legs. */
#define PJMEDIA_HAS_VIDEO 0
#define PJSUA_HAS_VIDEO 0

#define PJSUA_MAX_CALLS 1024
#define PJSUA_MAX_ACC 1024
#define PJSUA_MAX_PLAYERS 2048
#define PJSUA_MAX_RECORDERS 1024
#define PJSUA_MAX_CONF_PORTS 4096
#define PJ_IOQUEUE_MAX_HANDLES 8192
#define PJ_IOQUEUE_MAX_EVENTS_IN_SINGLE_POLL 64
#define PJSIP_MAX_TSX_COUNT 65535
#define PJSIP_MAX_DIALOG_COUNT 65535
#define PJSIP_MAX_TIMER_COUNT 131072

/* A browser's INVITE is long. */
#define PJSIP_MAX_PKT_LEN 16000

/* Browsers speak DTLS-SRTP. Debian's libsrtp2 is built without OpenSSL, so it has no AES-GCM. */
#define PJMEDIA_SRTP_HAS_DTLS 1
#define PJMEDIA_SRTP_HAS_AES_GCM_256 0
#define PJMEDIA_SRTP_HAS_AES_GCM_128 0

/* Check what callers hand over even in a build for production. */
#define PJ_ENABLE_EXTRA_CHECK 1
