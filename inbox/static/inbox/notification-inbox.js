/* <notification-inbox>: a bell with a user's messages. No dependencies; docs/inbox.md says how to embed it.
   Under a strict Content-Security-Policy it needs script-src and connect-src for its server, and nothing inline. */

const WORDS = {
  en: {
    title: "Notifications", bell: "Notifications", unread: "{n} unread", none: "You are all caught up.",
    failed: "Notifications could not be loaded.", expired: "Your session has ended. Please sign in again.",
    retry: "Try again", offline: "You are offline.", all: "Mark all as read", more: "Show older", read: "Mark as read",
    unreadIt: "Mark as unread", archive: "Archive", close: "Close", new: "{n} new notifications", one: "New notification",
    isUnread: "Unread", loading: "Loading", done: "Done",
  },
  de: {
    title: "Mitteilungen", bell: "Mitteilungen", unread: "{n} ungelesen", none: "Alles gelesen.",
    failed: "Die Mitteilungen konnten nicht geladen werden.", expired: "Die Sitzung ist zu Ende. Bitte neu anmelden.",
    retry: "Noch einmal", offline: "Keine Verbindung.", all: "Alle als gelesen markieren", more: "Ältere zeigen",
    read: "Als gelesen markieren", unreadIt: "Als ungelesen markieren", archive: "Archivieren", close: "Schließen",
    new: "{n} neue Mitteilungen", one: "Neue Mitteilung", isUnread: "Ungelesen", loading: "Wird geladen", done: "Erledigt",
  },
  ar: {
    title: "الإشعارات", bell: "الإشعارات", unread: "{n} غير مقروءة", none: "لا جديد لديك.",
    failed: "تعذّر تحميل الإشعارات.", expired: "انتهت الجلسة. سجّل الدخول من جديد.", retry: "أعد المحاولة",
    offline: "أنت غير متصل.", all: "تعليم الكل كمقروء", more: "عرض الأقدم", read: "تعليم كمقروء",
    unreadIt: "تعليم كغير مقروء", archive: "أرشفة", close: "إغلاق", new: "{n} إشعارات جديدة", one: "إشعار جديد",
    isUnread: "غير مقروء", loading: "جارٍ التحميل", done: "تم",
  },
};
const DARK = `--_bg:var(--inbox-background,#18181b);--_fg:var(--inbox-text,#fafafa);--_dim:var(--inbox-muted,#b4b4bd);
--_line:var(--inbox-border,#3f3f46);--_hover:var(--inbox-hover,#27272a);--_new:var(--inbox-unread,#1e2a44);
--_accent:var(--inbox-accent,#8ab4ff);--_on:var(--inbox-on-accent,#0b1220);--_badge:var(--inbox-badge,#f87171);
--_onbadge:var(--inbox-on-badge,#1f0505);color-scheme:dark;`;
/** What all our elements look like. */
export const LOOK = `
:host{font:var(--inbox-font,400 .9375rem/1.45 system-ui,sans-serif);
--_bg:var(--inbox-background,#fff);--_fg:var(--inbox-text,#18181b);--_dim:var(--inbox-muted,#595962);
--_line:var(--inbox-border,#e4e4e7);--_hover:var(--inbox-hover,#f4f4f5);--_new:var(--inbox-unread,#eef4ff);
--_accent:var(--inbox-accent,#1d4ed8);--_on:var(--inbox-on-accent,#fff);--_badge:var(--inbox-badge,#b91c1c);
--_onbadge:var(--inbox-on-badge,#fff);color-scheme:light}
:host([theme=dark]){${DARK}}
@media (prefers-color-scheme:dark){:host(:not([theme=light])){${DARK}}}
:host([hidden]),[hidden]{display:none!important}
*{box-sizing:border-box}
button,a{font:inherit;color:inherit}
button{cursor:pointer;background:none;border:0;padding:0}
:focus-visible{outline:2px solid var(--_accent);outline-offset:2px;border-radius:6px}
h2{margin:0;margin-inline-end:auto;font-size:1rem;font-weight:600}
.text{color:var(--_accent);font-size:.875rem;text-decoration:none;padding:.25rem}
.text:hover{text-decoration:underline}
.state{padding:2rem 1.5rem;text-align:center;color:var(--_dim)}
.bone{block-size:3.25rem;margin:.75rem 1rem;border-radius:8px;background:var(--_hover);animation:pulse 1.2s infinite alternate}
@keyframes pulse{to{opacity:.45}}
.sr{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media (prefers-reduced-motion:reduce){*{animation:none!important}}
`;
const CSS = `${LOOK}
:host{display:inline-block;position:relative}
.bell{position:relative;inline-size:2.5rem;block-size:2.5rem;display:grid;place-items:center;border-radius:999px;
color:var(--inbox-bell,inherit)}
.bell:hover{background:color-mix(in srgb,currentColor 12%,transparent)}
.bell svg{inline-size:1.375rem;block-size:1.375rem}
.badge{position:absolute;inset-block-start:.05rem;inset-inline-end:0;min-inline-size:1.2rem;padding:0 .3rem;
border-radius:999px;background:var(--_badge);color:var(--_onbadge);font-size:.75rem;line-height:1.2rem;font-weight:600;
text-align:center}
.panel{position:absolute;inset-block-start:calc(100% + .5rem);inset-inline-end:0;z-index:var(--inbox-z-index,1000);
inline-size:min(var(--inbox-width,24rem),92vw);max-block-size:min(var(--inbox-height,32rem),80vh);display:flex;
flex-direction:column;background:var(--_bg);color:var(--_fg);border:1px solid var(--_line);
border-radius:var(--inbox-radius,12px);box-shadow:0 12px 32px rgb(0 0 0/.22);overflow:hidden;text-align:start}
:host([placement=start]) .panel{inset-inline:0 auto}
header{display:flex;align-items:center;gap:.5rem;padding:.75rem 1rem;border-block-end:1px solid var(--_line)}
.icon{inline-size:1.75rem;block-size:1.75rem;display:grid;place-items:center;border-radius:6px;color:var(--_dim)}
.icon:hover{background:var(--_hover);color:var(--_fg)}
.icon svg{inline-size:1rem;block-size:1rem}
.scroll{overflow-y:auto;overscroll-behavior:contain}
article{display:grid;grid-template-columns:auto 1fr auto;gap:.15rem .75rem;padding:.75rem 1rem;
border-block-end:1px solid var(--_line);border-inline-start:3px solid transparent}
article:hover{background:var(--_hover)}
article.unread{background:var(--_new)}
article.warning{border-inline-start-color:#d97706}article.critical{border-inline-start-color:#dc2626}
article.success{border-inline-start-color:#16a34a}
article:focus-visible{outline-offset:-2px}
.mark{inline-size:.5rem;block-size:.5rem;border-radius:50%;margin-block-start:.4rem;background:transparent}
.unread .mark{background:var(--_accent)}
.avatar{inline-size:2rem;block-size:2rem;border-radius:50%;object-fit:cover}
.what{min-inline-size:0;overflow-wrap:anywhere}
.subject{display:block;text-align:start;font-weight:600;text-decoration:none}
.subject:hover{text-decoration:underline}
.body{margin:.1rem 0 0;white-space:pre-line}
time{color:var(--_dim);font-size:.8125rem}
.tools{display:flex;gap:.1rem}
.actions{display:flex;flex-wrap:wrap;gap:.5rem;margin-block:.5rem .25rem}
.action{display:inline-block;padding:.3rem .75rem;border-radius:8px;border:1px solid var(--_line);font-size:.875rem;
text-decoration:none;background:var(--_bg)}
.action.primary{background:var(--_accent);border-color:var(--_accent);color:var(--_on)}
.action[disabled]{opacity:.65;cursor:default}
.note{padding:.4rem 1rem;background:var(--_hover);color:var(--_dim);font-size:.8125rem}
.more{display:block;inline-size:100%;padding:.75rem}
`;
const SHAPES = {
  bell: "M6 9a6 6 0 1 1 12 0c0 5 2 6 2 7H4c0-1 2-2 2-7m4 10a2 2 0 0 0 4 0",
  close: "M6 6l12 12M18 6L6 18",
  read: "M4 12l5 5L20 6",
  unread: "M12 12m-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0",
  archive: "M4 5h16v4H4zM5 9v10h14V9M10 13h4",
};
const STALLED = 45_000; // ms without a byte, though a heartbeat comes every 15 s
const HIDDEN = 120_000; // ms after which a hidden page stops to listen
const WITHOUT = 300_000; // ms until a server that does not stream is asked again
const SOON = 15_000; // ms between attempts, at most

export function sheetOf(css) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  return sheet;
}
const sheet = sheetOf(CSS);

/** An element with properties, attributes (in attrs), listeners (onclick …) and children; never from markup. */
export function make(tag, { attrs = {}, ...props } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs)) if (value !== null && value !== undefined) element.setAttribute(name, value);
  Object.assign(element, props);
  element.append(...children.filter((child) => child !== null));
  return element;
}

function shape(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  const drawn = { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "2", "aria-hidden": "true",
    "stroke-linecap": "round", "stroke-linejoin": "round" };
  for (const [key, value] of Object.entries(drawn)) svg.setAttribute(key, value);
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

/** The server says so too; a page must not depend on it. */
const isSafe = (url) => /^https?:$/.test(new URL(url, document.baseURI).protocol);
const wait = (ms, signal) => new Promise((done) => {
  const timer = setTimeout(done, ms);
  signal?.addEventListener("abort", () => { clearTimeout(timer); done(); }, { once: true });
});

class Refused extends Error {
  constructor(status, code) {
    super(code || `status ${status}`);
    Object.assign(this, { status, code });
  }
}

/** Speaks with the server: the token, and one fresh one when it has expired. */
export class Api {
  constructor(host) { this.host = host; this.token = null; }

  async send(path, { method = "GET", body, headers = {}, signal, base, isAgain = false } = {}) {
    this.token ??= await this.host.freshToken();
    if (!this.token) throw new Refused(401, "no_token");
    const asks = { Authorization: `Bearer ${this.token}`, ...headers };
    if (body) asks["Content-Type"] = "application/json";
    const url = `${base ?? this.host.apiUrl}/v1/inbox/${path}`;
    const answer = await fetch(url, { method, headers: asks, signal, cache: "no-store", credentials: "omit",
      body: body && JSON.stringify(body) });
    if (answer.status === 401 && !isAgain && this.host.canRefresh) {
      this.token = null;
      return this.send(path, { method, body, headers, signal, base, isAgain: true });
    }
    if (!answer.ok && answer.status !== 304) {
      const problem = await answer.json().catch(() => ({}));
      throw new Refused(answer.status, problem.code);
    }
    return answer;
  }

  /** The JSON, or null when it is as it was when it had this tag. */
  async json(path, options = {}) {
    const answer = await this.send(path, options);
    this.tag = answer.headers.get("ETag");
    return answer.status === 304 ? null : answer.json();
  }
}

/** Hears of changes. One page of a browser streams and tells the others; where nothing streams, each polls. */
class Realtime {
  constructor(host, api, tell) { Object.assign(this, { host, api, tell, version: null, tag: null }); }

  start() {
    this.stop();
    if (this.host.realtime === "off") return;
    this.stopping = new AbortController();
    const { signal } = this.stopping;
    const name = `notification-inbox ${this.host.apiUrl} ${this.host.who}`;
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = ({ data }) => { this.heard = Date.now(); this.hear(data); };
    this.poll(signal);
    if (this.host.realtime === "poll") return;
    if (!navigator.locks) { this.listen(signal); return; }
    navigator.locks.request(name, { signal }, () => this.listen(signal)).catch(() => {});
  }

  stop() {
    this.stopping?.abort();
    this.channel?.close();
    this.heard = 0;
  }

  hear(event) {
    if (event.version && this.version !== null && event.version < this.version) return;
    this.version = event.version ?? this.version;
    this.tell(event);
  }

  share(event) {
    this.channel.postMessage(event);
    this.hear(event);
  }

  /** Tells the other pages of a change of our own; the server tells everybody else. */
  announce(counts) { this.channel?.postMessage({ name: "counts", counts, version: counts.version }); }

  async listen(signal) {
    for (let failures = 0; !signal.aborted; ) {
      const began = Date.now();
      let pause = 0;
      try {
        await this.stream(signal);
        failures = Date.now() - began > 5_000 ? 0 : failures + 1;
      } catch (error) {
        failures += 1;
        if (error.status === 501) pause = WITHOUT;
        else if (error.status === 401) { this.host.fail(error); pause = SOON; }
      }
      this.heard = 0;
      const backoff = Math.min(SOON, 500 * 2 ** Math.min(failures, 6));
      await wait(pause || backoff * (0.5 + Math.random() / 2), signal);
    }
  }

  async stream(signal) {
    const one = new AbortController();
    const end = () => one.abort();
    signal.addEventListener("abort", end, { once: true });
    let watchdog = setTimeout(end, STALLED);
    try {
      const headers = { Accept: "text/event-stream" };
      if (this.version !== null) headers["Last-Event-ID"] = String(this.version);
      const answer = await this.api.send("stream/", { headers, signal: one.signal, base: this.host.streamUrl });
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      this.share({ name: "alive" });
      for (let text = ""; ; ) {
        const { value, done } = await reader.read();
        if (done) return;
        clearTimeout(watchdog);
        watchdog = setTimeout(end, STALLED);
        this.heard = Date.now();
        const blocks = (text + value).split("\n\n");
        text = blocks.pop();
        blocks.forEach((block) => this.take(block));
        if (value.startsWith(":")) this.channel.postMessage({ name: "alive" });
      }
    } finally {
      clearTimeout(watchdog);
      signal.removeEventListener("abort", end);
    }
  }

  take(block) {
    const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/s)));
    if (!fields.event || fields.event === "bye") return;
    const data = JSON.parse(fields.data);
    this.share({ name: fields.event, id: data.id, counts: data.counts, version: Number(fields.id) });
  }

  /** Goes on beside the stream, and asks only while that is silent. */
  async poll(signal) {
    while (!signal.aborted) {
      const pause = this.host.pollInterval * (document.hidden ? 10 : 1);
      await wait(pause * (0.8 + Math.random() * 0.2), signal);
      if (signal.aborted || Date.now() - (this.heard ?? 0) < STALLED) continue;
      try {
        const counts = await this.api.json("counts/", { headers: this.tag ? { "If-None-Match": this.tag } : {}, signal });
        this.tag = this.api.tag;
        if (counts) this.hear({ name: "counts", counts, version: counts.version });
      } catch (error) {
        if (!signal.aborted) this.host.fail(error);
      }
    }
  }
}

/** What our elements share: where the server is, whose page it is, and in which words they speak. */
export class InboxElement extends HTMLElement {
  /** Called for a token instead of token and token-url: () => Promise<string>. */
  getToken = null;
  /** Words that replace ours: {title: "Inbox"}. */
  messages = {};

  get apiUrl() { return (this.getAttribute("api-url") ?? new URL(import.meta.url).origin).replace(/\/$/, ""); }
  get canRefresh() { return Boolean(this.getToken || this.getAttribute("token-url")); }
  get locale() { return this.getAttribute("locale") || this.closest("[lang]")?.lang || navigator.language || "en"; }

  async freshToken() {
    if (this.getToken) return this.getToken();
    const url = this.getAttribute("token-url");
    if (!url) return this.getAttribute("token");
    const answer = await fetch(url, { credentials: "same-origin", cache: "no-store" });
    if (!answer.ok) throw new Refused(answer.status, "no_token");
    return (await answer.json()).token;
  }

  tell(name, detail) { return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true, cancelable: true })); }

  word(name) {
    const { words } = this.constructor;
    return this.messages[name] ?? words[this.locale.split("-")[0]]?.[name] ?? words.en[name];
  }
}

export class NotificationInbox extends InboxElement {
  static words = WORDS;
  static observedAttributes = ["token", "token-url", "api-url", "stream-url", "realtime", "poll-interval", "locale", "open"];

  counts = { total: 0, unread: 0, unseen: 0, version: 0 };
  #items = [];
  #cursor = null;
  #state = "idle";
  #ui;
  #api;
  #realtime;
  #hiding;

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    this.#api = new Api(this);
    this.#realtime = new Realtime(this, this.#api, (event) => this.#heard(event));
  }

  get streamUrl() { return (this.getAttribute("stream-url") || this.apiUrl).replace(/\/$/, ""); }
  get realtime() { return this.getAttribute("realtime") ?? "auto"; }
  get pollInterval() { return Math.max(1, Number(this.getAttribute("poll-interval")) || 30) * 1000; }
  get isOpen() { return this.hasAttribute("open"); }

  /** Whose inbox it is, to keep pages of different users apart. Read from the token, and believed by nobody else. */
  get who() {
    try {
      const { iss, sub } = JSON.parse(atob(this.#api.token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
      return `${iss} ${sub}`;
    } catch { return ""; }
  }

  connectedCallback() {
    this.#draw();
    document.addEventListener("visibilitychange", this.#shown);
    document.addEventListener("pointerdown", this.#outside);
    addEventListener("online", this.#online);
    addEventListener("offline", this.#online);
    this.#start();
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#shown);
    document.removeEventListener("pointerdown", this.#outside);
    removeEventListener("online", this.#online);
    removeEventListener("offline", this.#online);
    clearTimeout(this.#hiding);
    this.#realtime.stop();
  }

  attributeChangedCallback(name, before, after) {
    if (!this.#ui || before === after) return;
    if (name === "open") this.#toggled();
    else if (name === "locale") { this.#draw(); this.#paint(); }
    else this.#start();
  }

  open() { this.setAttribute("open", ""); }
  close() { this.removeAttribute("open"); }
  async refresh() { await this.#load(); }
  async markAllRead() { await this.#mark({ filter: {}, up_to: this.counts.version, read: true }, (item) => ({ ...item, read_at: item.read_at ?? new Date().toISOString() })); }

  fail(error) {
    this.tell("inbox-error", { error });
    if (error.status === 401) { this.#state = "expired"; this.#paint(); }
  }

  async #start() {
    this.#realtime.stop();
    this.#realtime.version = null;
    this.#api.token = null;
    await this.#load();
    if (this.isConnected) this.#realtime.start();
  }

  async #load() {
    if (!this.#items.length) { this.#state = "loading"; this.#paint(); }
    try {
      const page = await this.#api.json(`notifications/?limit=${Number(this.getAttribute("page-size")) || 20}`);
      this.#items = page.data;
      this.#cursor = page.next_cursor;
      this.#state = "ready";
      this.#realtime.version = page.counts.version;
      this.#count(page.counts);
      if (this.isOpen) this.#see();
    } catch (error) {
      this.#state = error.status === 401 ? "expired" : "failed";
      this.fail(error);
    }
    this.#paint();
  }

  async #older() {
    const page = await this.#api.json(`notifications/?cursor=${encodeURIComponent(this.#cursor)}&limit=20`).catch((error) => this.fail(error));
    if (!page) return;
    const known = new Set(this.#items.map((item) => item.id));
    const fresh = page.data.filter((item) => !known.has(item.id));
    this.#items.push(...fresh);
    this.#cursor = page.next_cursor;
    this.#paint();
    if (fresh.length) this.shadowRoot.getElementById(fresh[0].id)?.focus();
  }

  /** An event is a hint: whoever shows the messages asks for them. */
  async #heard(event) {
    if (!event.counts) return;
    const more = event.counts.unread - this.counts.unread;
    this.#count(event.counts);
    if (more > 0) this.#say(more === 1 ? this.#word("one") : this.#word("new", more));
    this.#state = this.#state === "failed" ? "ready" : this.#state;
    await this.#load();
  }

  #count(counts) {
    if (counts.version < this.counts.version && counts.version !== 0) return;
    const isOther = JSON.stringify(counts) !== JSON.stringify(this.counts);
    this.counts = counts;
    this.#bell();
    if (isOther) this.tell("inbox-counts", counts);
  }

  #see() {
    if (this.counts.unseen && !document.hidden) this.#mark({ filter: { status: "unseen" }, up_to: this.counts.version, seen: true }, (item) => item);
  }

  /** Shown at once; taken back when the server does not take it. */
  async #mark(body, change) {
    const before = this.#items;
    this.#items = before.map(change).filter(Boolean);
    this.#paint();
    try {
      const { counts } = await this.#api.json("notifications/mark/", { method: "POST", body });
      this.#realtime.version = Math.max(this.#realtime.version ?? 0, counts.version);
      this.#count(counts);
      this.#realtime.announce(counts);
    } catch (error) {
      this.#items = before;
      this.fail(error);
      this.#paint();
    }
  }

  #markOne(item, marks, changed) {
    return this.#mark({ ids: [item.id], ...marks }, (one) => (one.id === item.id ? changed : one));
  }

  async #act(item, action) {
    if (!this.tell("inbox-action", { item, action })) return;
    const fresh = await this.#api.json(`notifications/${item.id}/actions/${encodeURIComponent(action.key)}/`, { method: "POST" }).catch((error) => this.fail(error));
    if (!fresh) return;
    this.#items = this.#items.map((one) => (one.id === fresh.id ? fresh : one));
    this.#paint();
    if (action.url && isSafe(action.url)) location.assign(action.url);
  }

  #click(event, item) {
    if (!item.read_at) this.#markOne(item, { read: true }, { ...item, read_at: new Date().toISOString() });
    if (!this.tell("inbox-item-click", { item })) event.preventDefault();
  }

  #word(name, n) { return this.word(name).replace("{n}", n === undefined ? "" : new Intl.NumberFormat(this.locale).format(n)); }

  #ago(time) {
    const seconds = (new Date(time) - Date.now()) / 1000;
    const [unit, size] = [["day", 86400], ["hour", 3600], ["minute", 60]].find(([, length]) => -seconds >= length) ?? ["second", 1];
    return new Intl.RelativeTimeFormat(this.locale, { numeric: "auto" }).format(Math.round(Math.min(0, seconds) / size), unit);
  }

  #shown = () => {
    clearTimeout(this.#hiding);
    if (document.hidden) this.#hiding = setTimeout(() => this.#realtime.stop(), HIDDEN);
    else if (this.#realtime.stopping?.signal.aborted) this.#start();
    else if (this.isOpen) this.#see();
  };
  #outside = (event) => { if (this.isOpen && !event.composedPath().includes(this)) this.close(); };
  #online = () => { this.#paint(); if (navigator.onLine) this.#load(); };

  #toggled() {
    this.#ui.panel.hidden = !this.isOpen;
    this.#ui.bell.setAttribute("aria-expanded", String(this.isOpen));
    if (this.isOpen) {
      this.#ui.panel.focus();
      this.#see();
    } else if (this.shadowRoot.activeElement || document.activeElement === this) this.#ui.bell.focus();
    this.tell(this.isOpen ? "inbox-open" : "inbox-close");
  }

  #say(text) {
    clearTimeout(this.saying);
    this.saying = setTimeout(() => { this.#ui.live.textContent = text; }, 300);
  }

  #bell() {
    if (!this.#ui) return;
    const { unread } = this.counts, most = Number(this.getAttribute("max-badge")) || 99;
    const number = new Intl.NumberFormat(this.locale);
    this.#ui.badge.hidden = !unread;
    this.#ui.badge.textContent = unread > most ? `${number.format(most)}+` : number.format(unread);
    this.#ui.bell.setAttribute("aria-label", unread ? `${this.#word("bell")}, ${this.#word("unread", unread)}` : this.#word("bell"));
    this.#ui.all.hidden = !unread;
  }

  #draw() {
    const part = (name) => ({ class: name, part: name });
    const badge = make("span", { attrs: { ...part("badge"), "aria-hidden": "true" } });
    const bell = make("button", { type: "button", attrs: { ...part("bell"), "aria-haspopup": "dialog", "aria-expanded": String(this.isOpen) },
      onclick: () => (this.isOpen ? this.close() : this.open()) }, make("slot", { name: "bell" }, shape("bell")), badge);
    const all = make("button", { type: "button", attrs: part("text"), onclick: () => this.markAllRead() }, this.#word("all"));
    const close = this.#tool("close", () => this.close());
    const note = make("div", { hidden: true, attrs: part("note") });
    const list = make("div", { attrs: { ...part("list"), role: "feed", "aria-busy": "false", "aria-labelledby": "title" }, onkeydown: (event) => this.#key(event) });
    const state = make("div", { attrs: part("state") });
    const more = make("button", { type: "button", attrs: { class: "text more", part: "more" }, onclick: () => this.#older() }, this.#word("more"));
    const panel = make("div", { tabIndex: -1, hidden: !this.isOpen, attrs: { ...part("panel"), role: "dialog", "aria-labelledby": "title" },
      onkeydown: (event) => { if (event.key === "Escape") { event.stopPropagation(); this.close(); } } },
      make("header", { attrs: { part: "header" } }, make("h2", { id: "title", attrs: { part: "title" } }, make("slot", { name: "header" }, this.#word("title"))), all, close),
      note, make("div", { attrs: { class: "scroll" } }, list, state, more), make("slot", { name: "footer" }));
    const live = make("div", { attrs: { class: "sr", role: "status", "aria-live": "polite" } });
    this.#ui = { bell, badge, all, note, list, state, more, panel, live };
    this.shadowRoot.replaceChildren(bell, panel, live);
    this.#bell();
    this.#paint();
  }

  #tool(name, onclick, word = name) {
    return make("button", { type: "button", title: this.#word(word), onclick, attrs: { class: "icon", part: "tool", "aria-label": this.#word(word) } }, shape(name));
  }

  #key(event) {
    const items = [...this.#ui.list.children], at = items.indexOf(event.target.closest("article"));
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (next === undefined || !items[next]) return;
    event.preventDefault();
    items[next].focus();
  }

  #paint() {
    if (!this.#ui) return;
    const { list, state, more, note } = this.#ui, focused = this.shadowRoot.activeElement?.closest("article")?.id;
    list.setAttribute("aria-busy", String(this.#state === "loading"));
    list.replaceChildren(...this.#items.map((item, at) => this.#article(item, at)));
    list.hidden = !this.#items.length;
    note.hidden = navigator.onLine;
    note.textContent = this.#word("offline");
    more.hidden = !this.#cursor;
    state.replaceChildren(...this.#said());
    state.hidden = !state.childNodes.length;
    if (focused) this.shadowRoot.getElementById(focused)?.focus();
  }

  /** What stands there instead of messages. */
  #said() {
    if (this.#state === "expired") return [make("p", {}, this.#word("expired")), this.#again()];
    if (this.#items.length) return [];
    if (this.#state === "failed") return [make("p", {}, this.#word("failed")), this.#again()];
    if (this.#state === "ready") return [make("slot", { name: "empty" }, this.#word("none"))];
    return [make("span", { attrs: { class: "sr" } }, this.#word("loading")), ...[1, 2, 3].map(() => make("div", { attrs: { class: "bone", "aria-hidden": "true" } }))];
  }

  #again() { return make("button", { type: "button", attrs: { class: "text" }, onclick: () => this.#start() }, this.#word("retry")); }

  #article(item, at) {
    const isUnread = !item.read_at, url = item.redirect_url && isSafe(item.redirect_url) ? item.redirect_url : null;
    const click = { onclick: (event) => this.#click(event, item), attrs: { class: "subject", part: "subject", href: url } };
    const subject = make(url ? "a" : "button", click, ...(isUnread ? [make("span", { attrs: { class: "sr" } }, `${this.#word("isUnread")}: `)] : []), make("bdi", {}, item.title || item.body));
    const avatar = item.avatar && isSafe(item.avatar) ? make("img", { src: item.avatar, alt: "", loading: "lazy", attrs: { class: "avatar", part: "avatar", referrerpolicy: "no-referrer" } }) : make("span", { attrs: { class: "mark" } });
    const toggle = isUnread
      ? this.#tool("read", () => this.#markOne(item, { read: true }, { ...item, read_at: new Date().toISOString() }))
      : this.#tool("unread", () => this.#markOne(item, { read: false }, { ...item, read_at: null }), "unreadIt");
    const archive = this.#tool("archive", () => this.#markOne(item, { archived: true, read: true }, null));
    return make("article", { id: item.id, tabIndex: 0, attrs: { part: "item", class: `${item.severity} ${isUnread ? "unread" : "read"}`,
      "aria-posinset": at + 1, "aria-setsize": this.#cursor ? -1 : this.#items.length, "aria-label": item.title || item.body } },
      avatar,
      make("div", { attrs: { class: "what" } }, subject,
        item.title && item.body ? make("p", { attrs: { class: "body", part: "body" } }, make("bdi", {}, item.body)) : null,
        item.actions.length ? make("div", { attrs: { class: "actions" } }, ...item.actions.map((action) => this.#action(item, action))) : null,
        make("time", { dateTime: item.created_at, title: new Date(item.created_at).toLocaleString(this.locale) }, this.#ago(item.created_at))),
      make("div", { attrs: { class: "tools" } }, toggle, archive));
  }

  #action(item, action) {
    return make("button", { type: "button", disabled: Boolean(action.completed_at), onclick: () => this.#act(item, action),
      attrs: { class: `action ${action.style}`, part: "action" } }, action.completed_at ? `${action.label} – ${this.#word("done")}` : action.label);
  }
}

if (!customElements.get("notification-inbox")) customElements.define("notification-inbox", NotificationInbox);
