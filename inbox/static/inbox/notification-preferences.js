/* <notification-preferences>: what a user wants to hear, and where. docs/preferences.md says how to embed it.
   It stands on notification-inbox.js beside it, and on nothing else. */

import { Api, InboxElement, LOOK, make, sheetOf } from "./notification-inbox.js";

const WORDS = {
  en: {
    title: "Your notifications", intro: "What {sender} may send you, and where.", channels: "Channels",
    channelsHint: "What is off here is off for everything below.", muted: "off for everything", locked: "Always on",
    lockedWhy: "Essential, for example for your security or an order, so it cannot be declined.",
    mixed: "A few of these messages are essential and always sent.", essential: "Essential messages",
    quiet: "Quiet hours", quietHint: "What comes in between waits until they are over. Essential messages do not wait.",
    quietOn: "Keep quiet hours", from: "From", to: "Until", days: "On the nights that begin on", zone: "Time zone",
    zoneDefault: "Default ({zone})", finer: "You have finer quiet hours than this form can show. Changing it replaces them.",
    quietSave: "Save quiet hours", quietWrong: "Not saved. Check the times and the days of the quiet hours.",
    decline: "Decline everything that is not essential",
    declineHint: "On all channels, also what may be new one day.",
    saved: "Saved.", undone: "Taken back.", undo: "Undo", notSaved: "Not saved. Please try again.",
    failed: "Your choices could not be loaded.", expired: "Your session has ended. Please sign in again.",
    retry: "Try again", loading: "Loading", email: "Email", slack: "Slack", teams: "Teams", telegram: "Telegram",
    webhook: "Webhook", in_app: "In the app",
  },
  de: {
    title: "Ihre Benachrichtigungen", intro: "Was {sender} Ihnen schicken darf, und wohin.", channels: "Kanäle",
    channelsHint: "Was hier aus ist, ist für alles darunter aus.", muted: "für alles aus", locked: "Immer an",
    lockedWhy: "Notwendig, etwa für Ihre Sicherheit oder eine Bestellung, und deshalb nicht abwählbar.",
    mixed: "Einige dieser Nachrichten sind notwendig und kommen immer.", essential: "Notwendige Nachrichten",
    quiet: "Ruhezeiten", quietHint: "Was dazwischen kommt, wartet bis zu ihrem Ende. Notwendige Nachrichten warten nicht.",
    quietOn: "Ruhezeiten einhalten", from: "Von", to: "Bis", days: "In den Nächten, die beginnen am", zone: "Zeitzone",
    zoneDefault: "Vorgabe ({zone})", finer: "Ihre Ruhezeiten sind feiner, als dieses Formular zeigt. Eine Änderung hier ersetzt sie.",
    quietSave: "Ruhezeiten speichern", quietWrong: "Nicht gespeichert. Bitte Zeiten und Tage der Ruhezeiten prüfen.",
    decline: "Alles abwählen, was nicht notwendig ist",
    declineHint: "Auf allen Kanälen, auch was einmal neu dazukommt.",
    saved: "Gespeichert.", undone: "Zurückgenommen.", undo: "Rückgängig", notSaved: "Nicht gespeichert. Bitte noch einmal.",
    failed: "Ihre Auswahl konnte nicht geladen werden.", expired: "Die Sitzung ist zu Ende. Bitte neu anmelden.",
    retry: "Noch einmal", loading: "Wird geladen", email: "E-Mail", slack: "Slack", teams: "Teams", telegram: "Telegram",
    webhook: "Webhook", in_app: "In der App",
  },
  ar: {
    title: "إشعاراتك", intro: "ما يجوز أن ترسله إليك {sender} وأين.", channels: "القنوات",
    channelsHint: "ما توقفه هنا يتوقف لكل ما يليه.", muted: "متوقف للكل", locked: "مفعّل دائمًا",
    lockedWhy: "رسائل ضرورية، مثل أمان حسابك أو طلباتك، ولذلك لا يمكن إيقافها.",
    mixed: "بعض هذه الرسائل ضروري ويُرسل دائمًا.", essential: "رسائل ضرورية",
    quiet: "ساعات الهدوء", quietHint: "ما يصل خلالها ينتظر حتى نهايتها. الرسائل الضرورية لا تنتظر.",
    quietOn: "تفعيل ساعات الهدوء", from: "من", to: "إلى", days: "في الليالي التي تبدأ يوم", zone: "المنطقة الزمنية",
    zoneDefault: "الافتراضية ({zone})", finer: "ساعات الهدوء لديك أدق مما يعرضه هذا النموذج، وتغييره يستبدلها.",
    quietSave: "حفظ ساعات الهدوء", quietWrong: "لم يُحفظ. راجع أوقات ساعات الهدوء وأيامها.",
    decline: "إيقاف كل ما ليس ضروريًا", declineHint: "على جميع القنوات، ويشمل ما قد يُضاف لاحقًا.",
    saved: "تم الحفظ.", undone: "تم التراجع.", undo: "تراجع", notSaved: "لم يُحفظ. حاول مرة أخرى.",
    failed: "تعذّر تحميل اختياراتك.", expired: "انتهت الجلسة. سجّل الدخول من جديد.",
    retry: "أعد المحاولة", loading: "جارٍ التحميل", email: "البريد الإلكتروني", slack: "Slack", teams: "Teams",
    telegram: "تيليغرام", webhook: "Webhook", in_app: "داخل التطبيق",
  },
};
const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MONDAY = Date.UTC(2024, 0, 1); // some Monday, to ask for the names of days
const CSS = `${LOOK}
:host{display:block;container-type:inline-size}
section{background:var(--_bg);color:var(--_fg);border:1px solid var(--_line);border-radius:var(--inbox-radius,12px);
padding:1.25rem 1.5rem 1.5rem;text-align:start}
h2{font-size:1.25rem}
h3{margin:0;font-size:1rem;font-weight:600}
p{margin:.15rem 0 0}
.dim{color:var(--_dim);font-size:.875rem}
.notice{position:sticky;inset-block-start:.5rem;z-index:1;display:flex;align-items:center;gap:1rem;
justify-content:space-between}
.notice.on{margin-block-start:.75rem;padding:.5rem .9rem;border-radius:8px;background:var(--_new);
border:1px solid var(--_accent)}
.notice.bad{border-color:var(--_badge)}
.row{display:grid;grid-template-columns:minmax(9rem,2fr) 3fr;gap:.25rem 1.5rem;align-items:start;padding-block:.75rem;
border-block-end:1px solid var(--_line)}
.row h3{line-height:2rem}
.boxes{display:flex;flex-wrap:wrap;gap:.1rem 1.25rem}
label{display:inline-flex;align-items:center;gap:.5rem;min-block-size:2rem}
input,select{font:inherit;color:inherit;accent-color:var(--_accent)}
input[type=checkbox]{inline-size:1.15rem;block-size:1.15rem;margin:0;flex:none}
input[type=time],select{background:var(--_bg);border:1px solid var(--_dim);border-radius:6px;padding:.3rem .5rem;
min-block-size:2.25rem;max-inline-size:100%}
.quiet{padding-block:1rem;border:0;margin:0;display:grid;grid-template-columns:minmax(0,1fr);gap:.4rem}
.line{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;align-items:center}
.line>span{flex-basis:100%}
.line select{min-inline-size:0;flex:0 1 auto}
.button{border:1px solid var(--_accent);color:var(--_accent);border-radius:8px;padding:.45rem 1rem;justify-self:start}
.button:hover{background:var(--_hover)}
.button:disabled{opacity:.6;cursor:default}
footer{padding-block-start:1rem;border-block-start:1px solid var(--_line)}
footer p{margin-block-start:.4rem}
@container (max-width:34rem){.row{grid-template-columns:1fr}}
`;
const sheet = sheetOf(CSS);

/** Stored quiet hours as the form's one interval on some days; `isSimple` when that says all there is. */
function formOf(stored) {
  const days = Object.entries(stored?.days ?? {}).filter(([, spans]) => spans.length);
  if (!days.length) return { isOn: false, from: "22:00", to: "07:00", days: DAYS, zone: stored?.timezone ?? "", isSimple: true };
  const spans = days.flatMap(([, some]) => some), [from, to] = spans[0];
  const isSimple = spans.length === days.length && to !== "24:00" && spans.every((span) => span[0] === from && span[1] === to);
  return { isOn: stored.enabled ?? true, from, to: to === "24:00" ? "23:59" : to, days: days.map(([day]) => day),
    zone: stored.timezone ?? "", isSimple };
}

/** Names of the words that somebody had seen, for the log of consent; empty where a page may not compute it. */
async function versionOf(language, words) {
  if (!globalThis.crypto?.subtle) return "";
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(words)));
  return `${language}-${[...new Uint8Array(digest)].slice(0, 6).map((byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

export class NotificationPreferences extends InboxElement {
  static words = WORDS;
  static observedAttributes = ["token", "token-url", "api-url", "locale", "hide-quiet-hours"];

  /** What holds, as the server said it last; null before. */
  preferences = null;
  #state = "loading";
  #notice = null;
  #back = null;
  #pending = 0;
  #turn = Promise.resolve();
  #api;
  #ui;

  constructor() {
    super();
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet];
    this.#api = new Api(this);
  }

  connectedCallback() {
    document.addEventListener("visibilitychange", this.#shown);
    this.#draw();
    this.refresh();
  }

  disconnectedCallback() { document.removeEventListener("visibilitychange", this.#shown); }

  attributeChangedCallback(name, before, after) {
    if (!this.#ui || before === after) return;
    if (name === "locale" || name === "hide-quiet-hours") { this.#draw(); return; }
    this.#api.token = null;
    this.refresh();
  }

  async refresh() {
    try {
      this.preferences = await this.#api.json("preferences/");
      this.#state = "ready";
    } catch (error) {
      this.#fail(error);
      if (!this.preferences) this.#state = error.status === 401 ? "expired" : "failed";
    }
    this.#paint();
  }

  /** Takes back the last change; nothing when there is none. */
  async undo() { if (this.#back) await this.#change(this.#back, { isUndo: true }); }

  /** One change after the other: what is shown is the answer to the last. */
  #change(edit, about = {}) {
    this.#pending += 1;
    this.#turn = this.#turn.then(() => this.#send(edit, about)).finally(() => { this.#pending -= 1; this.#paint(); });
    return this.#turn;
  }

  async #send(edit, { isUndo = false, wrong = "notSaved" }) {
    try {
      const { undo, ...now } = await this.#api.json("preferences/", { method: "PATCH", body: { ...edit, text_version: await this.#version() } });
      this.preferences = now;
      this.#back = isUndo ? null : undo;
      this.#notice = { text: this.word(isUndo ? "undone" : "saved") };
      this.tell("preferences-change", { preferences: now, edit });
    } catch (error) {
      this.#fail(error);
      this.#notice = { text: this.word(error.status === 401 ? "expired" : error.status === 400 ? wrong : "notSaved"), isBad: true };
    }
  }

  #version() {
    const language = this.locale.split("-")[0] in WORDS ? this.locale.split("-")[0] : "en";
    return versionOf(language, { ...WORDS[language], ...this.messages });
  }

  #fail(error) { this.tell("preferences-error", { error }); }

  #shown = () => { if (!document.hidden && !this.#pending && this.#state === "ready") this.refresh(); };

  #draw() {
    const said = make("span", { attrs: { role: "status" } });
    const undo = make("button", { type: "button", hidden: true, attrs: { class: "text", part: "undo" }, onclick: () => this.undo() }, this.word("undo"));
    const notice = make("div", { attrs: { class: "notice", part: "notice" } }, said, undo);
    const intro = make("p", { attrs: { class: "dim", part: "intro" } });
    const body = make("div"), quiet = make("div"), footer = make("footer", { hidden: true, attrs: { part: "footer" } });
    footer.append(make("button", { id: "decline", type: "button", attrs: { class: "button", part: "button", "aria-describedby": "decline-hint" },
      onclick: () => this.#change(this.preferences.decline_all) }, this.word("decline")),
    make("p", { id: "decline-hint", attrs: { class: "dim" } }, this.word("declineHint")));
    this.#ui = { said, undo, notice, intro, body, quiet, footer, form: null };
    this.shadowRoot.replaceChildren(make("section", { attrs: { part: "panel", "aria-labelledby": "title" } },
      make("h2", { id: "title", attrs: { part: "title" } }, make("slot", { name: "header" }, this.word("title"))),
      intro, notice, body, quiet, footer));
    this.#paint();
  }

  /** While answers are on their way, what somebody has ticked stays as it is. */
  #paint() {
    if (!this.#ui || this.#pending) return;
    const { body, quiet, intro, footer } = this.#ui, now = this.preferences, focused = this.shadowRoot.activeElement?.id;
    this.#tellNotice();
    footer.hidden = !now;
    intro.textContent = now ? this.word("intro").replace("{sender}", now.sender) : "";
    body.setAttribute("aria-busy", String(this.#state === "loading"));
    if (!now) { body.replaceChildren(...this.#said()); return; }
    const channels = { name: this.word("channels"), hint: this.word("channelsHint"), channels: now.channels };
    body.replaceChildren(this.#row(channels, null, 0), ...now.categories.map((category, at) => this.#row(category, category.key, at + 1)));
    const form = JSON.stringify([now.quiet_hours, now.default_timezone]);
    if (form !== this.#ui.form) quiet.replaceChildren(...(this.hasAttribute("hide-quiet-hours") ? [] : [this.#quietForm(now)]));
    this.#ui.form = form;
    if (focused) this.shadowRoot.getElementById(focused)?.focus();
  }

  #tellNotice() {
    const { said, undo, notice } = this.#ui, text = this.#notice?.text ?? "";
    const wasFocused = this.shadowRoot.activeElement === undo;
    said.textContent = text;
    undo.hidden = !this.#back || Boolean(this.#notice?.isBad);
    notice.className = text ? `notice on${this.#notice.isBad ? " bad" : ""}` : "notice";
    if (wasFocused && undo.hidden) this.shadowRoot.querySelector("input:enabled")?.focus();
  }

  /** What stands there instead of choices. */
  #said() {
    if (this.#state === "loading") return [make("span", { attrs: { class: "sr" } }, this.word("loading")), ...[1, 2, 3].map(() => make("div", { attrs: { class: "bone", "aria-hidden": "true" } }))];
    const again = make("button", { type: "button", attrs: { class: "text" }, onclick: () => { this.#api.token = null; this.refresh(); } }, this.word("retry"));
    return [make("div", { attrs: { class: "state", part: "state" } }, make("p", {}, this.word(this.#state)), again)];
  }

  #row(about, key, at) {
    const id = `row-${at}`, title = about.name || this.word("essential");
    const hint = about.locked ? this.word("lockedWhy") : about.has_essential ? this.word("mixed") : about.hint;
    const boxes = about.locked
      ? [make("label", {}, make("input", { type: "checkbox", checked: true, disabled: true }), this.word("locked"))]
      : Object.entries(about.channels).map(([channel, state]) => this.#box(key, channel, state, id));
    return make("div", { attrs: { class: "row", part: "row", role: "group", "aria-labelledby": id } },
      make("div", {}, make("h3", { id }, make("bdi", {}, title)), hint ? make("p", { attrs: { class: "dim" } }, hint) : null),
      make("div", { attrs: { class: "boxes" } }, ...boxes));
  }

  #box(key, channel, state, row) {
    const box = make("input", { type: "checkbox", id: `${row}:${channel}`, checked: state.enabled, attrs: { part: "box" },
      onchange: () => this.#choose(key, channel, box.checked === state.default ? null : box.checked) });
    return make("label", {}, box, this.word(channel), state.muted ? make("span", { attrs: { class: "dim" } }, `(${this.word("muted")})`) : null);
  }

  /** null takes a choice back: it is what holds without one. */
  #choose(category, channel, choice) {
    return this.#change(category === null ? { channels: { [channel]: choice } } : { categories: { [category]: { [channel]: choice } } });
  }

  #quietForm({ quiet_hours: stored, default_timezone: zone, timezone }) {
    const was = formOf(stored), own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const box = (id, checked, value = "yes") => make("input", { type: "checkbox", id, name: id, value, checked });
    const time = (id, value) => make("label", {}, this.word(id), make("input", { type: "time", id, name: id, value, required: true }));
    const day = new Intl.DateTimeFormat(this.locale, { weekday: "short", timeZone: "UTC" });
    const days = DAYS.map((name, at) => make("label", {}, box(`day-${name}`, was.days.includes(name), name), day.format(MONDAY + at * 86_400_000)));
    const zones = [...new Set([was.zone, own, ...(Intl.supportedValuesOf?.("timeZone") ?? [])])].filter(Boolean);
    const select = make("select", { id: "zone", name: "zone" }, make("option", { value: "" }, this.word("zoneDefault").replace("{zone}", zone)),
      ...zones.map((name) => make("option", { value: name }, name)));
    select.value = was.zone || (stored || timezone || own === zone ? "" : own);
    const form = make("form", { noValidate: true, attrs: { class: "quiet", part: "quiet", "aria-labelledby": "quiet-title" },
      onsubmit: (event) => { event.preventDefault(); this.#saveQuiet(form, stored); } },
      make("h3", { id: "quiet-title" }, this.word("quiet")), make("p", { attrs: { class: "dim" } }, this.word("quietHint")),
      was.isSimple ? null : make("p", { attrs: { class: "dim" } }, this.word("finer")),
      make("div", { attrs: { class: "line" } }, make("label", {}, box("quiet-on", was.isOn), this.word("quietOn"))),
      make("div", { attrs: { class: "line" } }, time("from", was.from), time("to", was.to)),
      make("div", { attrs: { class: "line", role: "group", "aria-label": this.word("days") } }, make("span", { attrs: { class: "dim" } }, this.word("days")), ...days),
      make("div", { attrs: { class: "line" } }, make("label", { htmlFor: "zone" }, this.word("zone")), select),
      make("button", { id: "quiet-save", attrs: { class: "button", part: "button" } }, this.word("quietSave")));
    return form;
  }

  #saveQuiet(form, stored) {
    const given = new FormData(form), isOn = given.has("quiet-on"), days = DAYS.filter((day) => given.has(`day-${day}`));
    const [from, to] = ["from", "to"].map((name) => String(given.get(name)).slice(0, 5));
    if (!from || !to || (isOn && !days.length)) { this.#notice = { text: this.word("quietWrong"), isBad: true }; this.#tellNotice(); return; }
    const kept = stored?.channels ? { channels: stored.channels } : {};
    const quiet = { enabled: isOn, timezone: given.get("zone"), days: Object.fromEntries(days.map((day) => [day, [[from, to]]])), ...kept };
    this.#change({ quiet_hours: quiet }, { wrong: "quietWrong" });
  }
}

if (!customElements.get("notification-preferences")) customElements.define("notification-preferences", NotificationPreferences);
