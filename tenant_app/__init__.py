"""The staff web app: what people of a tenant see in the browser.

One folder per feature with ``views.py`` and ``forms.py``; its templates lie in ``templates/<feature>``, on the shell
and the components of ``templates/shell`` and ``templates/components``. Rules live in core's services; here a view
parses a form, calls a service and renders.
"""
