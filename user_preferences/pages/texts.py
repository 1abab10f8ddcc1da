"""The words of the page, by language. A new language is one more entry of LANGUAGES, with the same keys."""

import hashlib
from collections.abc import Collection, Mapping
from functools import cache
from types import MappingProxyType

ENGLISH = {
    "title": "Your notifications",
    "intro": "What {sender} may send you, and where. For {address}.",
    "intro_nobody": "What {sender} may send you, and where.",
    "channels": "Channels",
    "channels_hint": "What is off here is off for everything below.",
    "muted": "off for everything",
    "locked": "Always on",
    "locked_why": "Essential, for example for your security or an order, so they cannot be declined.",
    "mixed": "A few of these messages are essential and always sent.",
    "essential": "Essential messages",
    "quiet": "Quiet hours",
    "quiet_hint": "What comes in between waits until they are over. Essential messages do not wait.",
    "quiet_on": "Keep quiet hours",
    "quiet_from": "From",
    "quiet_to": "Until",
    "quiet_days": "On the nights that begin on",
    "quiet_zone": "Time zone",
    "quiet_zone_hint": "For example Europe/Warsaw. Empty: {zone}.",
    "quiet_finer": "You have finer quiet hours than this form can show. Changing it replaces them.",
    "quiet_wrong": "Nothing was saved. Check the times, the days and the time zone of the quiet hours.",
    "save": "Save",
    "all_off": "Decline everything that is not essential",
    "all_off_hint": "Or nothing but what is essential, on all channels, also of what may be new one day.",
    "saved": "Saved. It holds from now on, also for what was scheduled before.",
    "unchanged": "There was nothing to change.",
    "undone": "Taken back.",
    "undo": "Undo",
    "mon": "Mon", "tue": "Tue", "wed": "Wed", "thu": "Thu", "fri": "Fri", "sat": "Sat", "sun": "Sun",
    "email": "Email", "slack": "Slack", "teams": "Teams", "telegram": "Telegram", "webhook": "Webhook",
    "in_app": "In the app",
    "expired": "This link is no longer valid",
    "expired_what": "Use the link in a newer message, or let us mail you a fresh one. Nothing was changed.",
    "fresh": "Mail me a fresh link",
    "fresh_hint": "It goes to the address that your messages go to, at most once an hour.",
    "mailed": "Look into your mailbox",
    "mailed_what": "A fresh link is on its way, if we know your address. Nothing else was changed.",
    "mail_subject": "Your notifications from {sender}",
    "mail_body": "Here is the fresh link to what {sender} may send you:\n\n{url}\n\nIt works for {days} days; give it "
    "to nobody. If you did not ask for it, there is nothing to do.\n",
    "unknown": "This link does not work",
    "unknown_what": "Perhaps a part is missing. Use the one in the message, or ask the sender. Nothing was changed.",
    "too_many": "Too many requests",
    "too_many_what": "Wait a minute, and open the link again. Nothing was changed.",
    "unclear": "Nothing was saved",
    "unclear_what": "The form did not arrive whole. Open the link again.",
}  # fmt: skip
GERMAN = {
    "title": "Ihre Benachrichtigungen",
    "intro": "Was {sender} Ihnen schicken darf, und wohin. Für {address}.",
    "intro_nobody": "Was {sender} Ihnen schicken darf, und wohin.",
    "channels": "Kanäle",
    "channels_hint": "Was hier aus ist, ist für alles darunter aus.",
    "muted": "für alles aus",
    "locked": "Immer an",
    "locked_why": "Notwendig, etwa für Ihre Sicherheit oder eine Bestellung, und deshalb nicht abwählbar.",
    "mixed": "Einige dieser Nachrichten sind notwendig und kommen immer.",
    "essential": "Notwendige Nachrichten",
    "quiet": "Ruhezeiten",
    "quiet_hint": "Was dazwischen kommt, wartet bis zu ihrem Ende. Notwendige Nachrichten warten nicht.",
    "quiet_on": "Ruhezeiten einhalten",
    "quiet_from": "Von",
    "quiet_to": "Bis",
    "quiet_days": "In den Nächten, die beginnen am",
    "quiet_zone": "Zeitzone",
    "quiet_zone_hint": "Zum Beispiel Europe/Berlin. Leer: {zone}.",
    "quiet_finer": "Ihre Ruhezeiten sind feiner, als dieses Formular zeigt. Eine Änderung hier ersetzt sie.",
    "quiet_wrong": "Nichts wurde gespeichert. Bitte Zeiten, Tage und Zeitzone der Ruhezeiten prüfen.",
    "save": "Speichern",
    "all_off": "Alles abwählen, was nicht notwendig ist",
    "all_off_hint": "Oder nur noch das Notwendige, auf allen Kanälen, auch von dem, was einmal neu dazukommt.",
    "saved": "Gespeichert. Es gilt ab jetzt, auch für schon Geplantes.",
    "unchanged": "Es war nichts zu ändern.",
    "undone": "Zurückgenommen.",
    "undo": "Rückgängig",
    "mon": "Mo", "tue": "Di", "wed": "Mi", "thu": "Do", "fri": "Fr", "sat": "Sa", "sun": "So",
    "email": "E-Mail", "slack": "Slack", "teams": "Teams", "telegram": "Telegram", "webhook": "Webhook",
    "in_app": "In der App",
    "expired": "Dieser Link gilt nicht mehr",
    "expired_what": "Nehmen Sie den aus einer neueren Nachricht, oder lassen Sie sich einen neuen schicken. Nichts "
    "wurde geändert.",
    "fresh": "Neuen Link schicken",
    "fresh_hint": "Er geht an die Adresse, an die auch Ihre Nachrichten gehen, höchstens einmal in der Stunde.",
    "mailed": "Sehen Sie in Ihr Postfach",
    "mailed_what": "Ein neuer Link ist unterwegs, falls wir Ihre Adresse kennen. Sonst wurde nichts geändert.",
    "mail_subject": "Ihre Benachrichtigungen von {sender}",
    "mail_body": "Hier ist der neue Link zu dem, was {sender} Ihnen schicken darf:\n\n{url}\n\nEr gilt {days} Tage; "
    "geben Sie ihn niemandem. Wenn Sie ihn nicht angefordert haben, ist nichts zu tun.\n",
    "unknown": "Dieser Link funktioniert nicht",
    "unknown_what": "Vielleicht fehlt ein Teil. Nehmen Sie den aus der Nachricht, oder fragen Sie den Absender.",
    "too_many": "Zu viele Anfragen",
    "too_many_what": "Warten Sie eine Minute, und öffnen Sie den Link noch einmal. Nichts wurde geändert.",
    "unclear": "Nichts wurde gespeichert",
    "unclear_what": "Das Formular kam nicht vollständig an. Öffnen Sie den Link noch einmal.",
}  # fmt: skip
ARABIC = {
    "title": "إشعاراتك",
    "intro": "ما يجوز أن ترسله إليك {sender} وأين. إلى {address}.",
    "intro_nobody": "ما يجوز أن ترسله إليك {sender} وأين.",
    "channels": "القنوات",
    "channels_hint": "ما توقفه هنا يتوقف لكل ما يليه.",
    "muted": "متوقف للكل",
    "locked": "مفعّل دائمًا",
    "locked_why": "رسائل ضرورية، مثل أمان حسابك أو طلباتك، ولذلك لا يمكن إيقافها.",
    "mixed": "بعض هذه الرسائل ضروري ويُرسل دائمًا.",
    "essential": "رسائل ضرورية",
    "quiet": "ساعات الهدوء",
    "quiet_hint": "ما يصل خلالها ينتظر حتى نهايتها. الرسائل الضرورية لا تنتظر.",
    "quiet_on": "تفعيل ساعات الهدوء",
    "quiet_from": "من",
    "quiet_to": "إلى",
    "quiet_days": "في الليالي التي تبدأ يوم",
    "quiet_zone": "المنطقة الزمنية",
    "quiet_zone_hint": "مثل Asia/Riyadh. إن تُركت فارغة: {zone}.",
    "quiet_finer": "ساعات الهدوء لديك أدق مما يعرضه هذا النموذج، وتغييره يستبدلها.",
    "quiet_wrong": "لم يُحفظ شيء. راجع أوقات ساعات الهدوء وأيامها ومنطقتها الزمنية.",
    "save": "حفظ",
    "all_off": "إيقاف كل ما ليس ضروريًا",
    "all_off_hint": "أو الرسائل الضرورية وحدها، على جميع القنوات، ويشمل ما قد يُضاف لاحقًا.",
    "saved": "تم الحفظ. يسري من الآن، وعلى ما جُدول من قبل أيضًا.",
    "unchanged": "لا شيء يحتاج إلى تغيير.",
    "undone": "تم التراجع.",
    "undo": "تراجع",
    "mon": "الاثنين", "tue": "الثلاثاء", "wed": "الأربعاء", "thu": "الخميس", "fri": "الجمعة",
    "sat": "السبت", "sun": "الأحد",
    "email": "البريد الإلكتروني", "slack": "Slack", "teams": "Teams", "telegram": "تيليغرام", "webhook": "Webhook",
    "in_app": "داخل التطبيق",
    "expired": "انتهت صلاحية هذا الرابط",
    "expired_what": "استخدم الرابط في رسالة أحدث، أو اطلب إرسال رابط جديد إليك. لم يتغير شيء.",
    "fresh": "أرسلوا لي رابطًا جديدًا",
    "fresh_hint": "يُرسل إلى العنوان الذي تصل إليه رسائلك، مرة واحدة في الساعة على الأكثر.",
    "mailed": "راجع بريدك",
    "mailed_what": "الرابط الجديد في طريقه إليك إن كنا نعرف عنوانك. لم يتغير شيء آخر.",
    "mail_subject": "إشعاراتك من {sender}",
    "mail_body": "هذا هو الرابط الجديد إلى ما يجوز أن ترسله إليك {sender}:\n\n{url}\n\nيعمل لمدة {days} يومًا؛ "
    "لا تعطه لأحد. إن لم تطلبه فلا حاجة إلى فعل شيء.\n",
    "unknown": "هذا الرابط لا يعمل",
    "unknown_what": "ربما ينقصه جزء. استخدم الرابط في الرسالة، أو اسأل المرسل. لم يتغير شيء.",
    "too_many": "طلبات كثيرة جدًا",
    "too_many_what": "انتظر دقيقة ثم افتح الرابط مرة أخرى. لم يتغير شيء.",
    "unclear": "لم يُحفظ شيء",
    "unclear_what": "لم يصل النموذج كاملًا. افتح الرابط مرة أخرى.",
}  # fmt: skip
LANGUAGES: Mapping[str, Mapping[str, str]] = MappingProxyType({"en": ENGLISH, "de": GERMAN, "ar": ARABIC})
RIGHT_TO_LEFT = frozenset({"ar"})


def language_of(locale: str, accepted: str = "", *, spoken: Collection[str] = LANGUAGES) -> str:
    """The customer's own, else the first that their browser takes, else English. `accepted`: an Accept-Language."""
    wanted = [locale, *(part.partition(";")[0].strip() for part in accepted.split(","))]
    languages = (one.replace("_", "-").lower().partition("-")[0] for one in wanted if one)
    return next((language for language in languages if language in spoken), "en")


@cache
def version_of(language: str) -> str:
    """Another one whenever a word changes: what the consent log remembers of what somebody had seen."""
    return version(language, LANGUAGES[language])


def version(language: str, words: Mapping[str, str]) -> str:
    """As `version_of`, of another page's words."""
    said = "\n".join(f"{key}={text}" for key, text in sorted(words.items()))
    return f"{language}-{hashlib.sha256(said.encode()).hexdigest()[:12]}"
