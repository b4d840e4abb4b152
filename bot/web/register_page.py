"""The two pages of registering the app: one whose button hands the manifest to GitHub, and what is left to do."""

from __future__ import annotations

from html import escape
from urllib.parse import urlsplit

from aiohttp import web

from bot import messages

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}"
)


def question_page(locale: str, *, action: str, manifest: str) -> web.Response:
    """What is going to be made, and a button; the form goes to GitHub and nowhere else."""
    form = (
        f'<form method="post" action="{escape(action)}">'
        f'<input type="hidden" name="manifest" value="{escape(manifest)}">'
        f"<button>{_word(locale, 'register.button')}</button></form>"
    )
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(action))
    return _page(locale, f"<p>{_word(locale, 'register.question')}</p>{form}", form_action=origin)


def done_page(locale: str, install_page: str) -> web.Response:
    """The app is there; it is installed next."""
    link = f'<a href="{escape(install_page)}">{_word(locale, "register.install")}</a>'
    return _page(locale, f"<p>{_word(locale, 'register.done')}</p><p>{link}</p>", form_action="'none'")


def _page(locale: str, body: str, *, form_action: str) -> web.Response:
    title = _word(locale, "register.title")
    text = (
        f'<!doctype html><html lang="{escape(locale)}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f"<style>{STYLE}</style><h1>{title}</h1>{body}</html>"
    )
    policy = f"default-src 'none'; style-src 'unsafe-inline'; form-action {form_action}; frame-ancestors 'none'"
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return web.Response(text=text, content_type="text/html", headers=headers)


def _word(locale: str, key: str) -> str:
    return escape(messages.say(locale, key))
