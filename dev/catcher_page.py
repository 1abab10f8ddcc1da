"""The page of the catcher: plain HTML, no build, no network; it looks again every two seconds."""

from collections.abc import Sequence
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; --line: #8883; --soft: #888; --card: #fff; --page: #f4f5f7; --ink: #1c2330;
  --accent: #2563eb }
@media (prefers-color-scheme: dark) { :root { --card: #1b2029; --page: #12161d; --ink: #e6e9ef; --accent: #7aa7ff } }
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif }
header, main { max-width: 60rem; margin: 0 auto; padding: 0 1.25rem }
header { display: flex; align-items: baseline; gap: .75rem; padding-top: 2rem; padding-bottom: 1rem }
h1 { font-size: 1.25rem; margin: 0 }
header span, time, .to { color: var(--soft); font-size: .875rem }
header button { margin-left: auto; font: inherit; font-size: .875rem; padding: .25rem .75rem; color: inherit;
  background: none; border: 1px solid var(--line); border-radius: 6px; cursor: pointer }
article, .empty { background: var(--card); border: 1px solid var(--line); border-radius: 8px; margin-bottom: .5rem }
.empty { padding: 2.5rem 1rem; text-align: center; color: var(--soft) }
summary { display: grid; grid-template-columns: 5.5rem 1fr auto; gap: .25rem .75rem; padding: .6rem .9rem;
  cursor: pointer }
summary::-webkit-details-marker { display: none }
summary b, .to { overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
summary b { font-weight: 600 }
.to { grid-column: 2 / 4 }
.kind { align-self: start; font-size: .75rem; font-weight: 600; color: var(--accent); border: 1px solid;
  border-radius: 99px; padding: .1rem .5rem; text-align: center }
.body { border-top: 1px solid var(--line); padding: .9rem }
pre { margin: 0 0 .75rem; white-space: pre-wrap; overflow-wrap: anywhere; font: 13px/1.5 ui-monospace, monospace }
iframe { width: 100%; height: 26rem; border: 1px solid var(--line); border-radius: 6px; background: #fff }
.headers summary { display: block; padding: .5rem 0 0; color: var(--soft); font-size: .875rem }
"""

SCRIPT = """
const main = document.querySelector("main")
async function look() {
  const fresh = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html")
  const next = fresh.querySelector("main")
  if (next.dataset.newest !== main.dataset.newest) {
    for (const open of main.querySelectorAll("article > details[open]"))
      next.querySelector("#" + open.parentElement.id + " > details")?.setAttribute("open", "")
    main.replaceChildren(...next.childNodes)
    main.dataset.newest = next.dataset.newest
    document.querySelector("header span").textContent = fresh.querySelector("header span").textContent
  }
}
setInterval(() => look().catch(() => {}), 2000)
document.querySelector("button").onclick = () => fetch("/messages", {method: "DELETE"}).then(look)
"""


def page(caught: Sequence[dict[str, Any]]) -> str:
    """The whole page; what was caught is shown as text, and HTML mail in a frame that may run nothing."""
    newest = caught[0]["id"] if caught else 0
    listed = (
        "".join(map(article, caught))
        or '<p class="empty">Nothing caught yet. It appears here as soon as it is sent.</p>'
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Caught · Traffic Control</title><style>{STYLE}</style>"
        f"<header><h1>Caught mail and webhooks</h1><span>{len(caught)} kept</span><button>Forget all</button></header>"
        f'<main data-newest="{newest}">{listed}</main><script>{SCRIPT}</script></html>'
    )


def article(one: dict[str, Any]) -> str:
    kind, title, to = (escape(one[name]) for name in ("kind", "title", "to"))
    at = one["caught_at"]
    return (
        f'<article id="m{one["id"]}"><details><summary><span class="kind">{kind}</span><b>{title}</b>'
        f'<time datetime="{at}">{at[11:19]}</time><span class="to">{to}</span></summary>'
        f'<div class="body">{body(one)}{headers(one)}</div></details></article>'
    )


def body(one: dict[str, Any]) -> str:
    text = f"<pre>{escape(one['text'])}</pre>" if one["text"] else ""
    html = (
        f'<iframe sandbox srcdoc="{escape(one["html"])}" loading="lazy" title="HTML part"></iframe>'
        if one["html"]
        else ""
    )
    return text + html


def headers(one: dict[str, Any]) -> str:
    lines = "\n".join(f"{name}: {value}" for name, value in one["headers"].items())
    return f'<details class="headers"><summary>Headers</summary><pre>{escape(lines)}</pre></details>'
