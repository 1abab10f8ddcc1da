"""The words of the page, by language: those of the preference page, with the same keys each."""

from collections.abc import Mapping
from types import MappingProxyType

ENGLISH = {
    "title": "Unsubscribe",
    "ask": "Unsubscribe?",
    "done": "You are unsubscribed",
    "undone": "Taken back",
    "no_more": "{sender} will send no more mail about {category} to {address}.",
    "no_more_at_all": "{sender} will send no more mail, except what is essential, to {address}.",
    "again": "{sender} may go on sending mail about {category} to {address}, as far as nothing else is against it.",
    "again_all": "{sender} may go on sending mail to {address}, as far as nothing else is against it.",
    "this_address": "this address",
    "button": "Unsubscribe",
    "undo": "Undo",
    "expired": "This link is too old",
    "expired_what": "Use the one in a newer mail, or write to the sender.",
    "unknown": "This link does not work",
    "unknown_what": "Perhaps it was not copied whole. Use the one in the mail, or write to the sender.",
}
GERMAN = {
    "title": "Abmelden",
    "ask": "Abmelden?",
    "done": "Sie sind abgemeldet",
    "undone": "Zurückgenommen",
    "no_more": "{sender} schickt keine Mails über {category} mehr an {address}.",
    "no_more_at_all": "{sender} schickt keine Mails mehr an {address}, außer notwendigen.",
    "again": "{sender} darf weiter Mails über {category} an {address} schicken, soweit sonst nichts dagegen spricht.",
    "again_all": "{sender} darf weiter Mails an {address} schicken, soweit sonst nichts dagegen spricht.",
    "this_address": "diese Adresse",
    "button": "Abmelden",
    "undo": "Rückgängig",
    "expired": "Dieser Link ist zu alt",
    "expired_what": "Nehmen Sie den aus einer neueren Mail, oder schreiben Sie dem Absender.",
    "unknown": "Dieser Link funktioniert nicht",
    "unknown_what": "Vielleicht fehlt ein Teil. Nehmen Sie den aus der Mail, oder schreiben Sie dem Absender.",
}
ARABIC = {
    "title": "إلغاء الاشتراك",
    "ask": "إلغاء الاشتراك؟",
    "done": "تم إلغاء اشتراكك",
    "undone": "تم التراجع",
    "no_more": "لن ترسل {sender} مزيدًا من الرسائل حول {category} إلى {address}.",
    "no_more_at_all": "لن ترسل {sender} مزيدًا من الرسائل إلى {address}، إلا ما كان ضروريًا.",
    "again": "يجوز أن تواصل {sender} إرسال الرسائل حول {category} إلى {address}، ما لم يمنع ذلك شيء آخر.",
    "again_all": "يجوز أن تواصل {sender} إرسال الرسائل إلى {address}، ما لم يمنع ذلك شيء آخر.",
    "this_address": "هذا العنوان",
    "button": "إلغاء الاشتراك",
    "undo": "تراجع",
    "expired": "هذا الرابط قديم جدًا",
    "expired_what": "استخدم الرابط في رسالة أحدث، أو راسل المرسل.",
    "unknown": "هذا الرابط لا يعمل",
    "unknown_what": "ربما لم يُنسخ كاملًا. استخدم الرابط في الرسالة، أو راسل المرسل.",
}
LANGUAGES: Mapping[str, Mapping[str, str]] = MappingProxyType({"en": ENGLISH, "de": GERMAN, "ar": ARABIC})
