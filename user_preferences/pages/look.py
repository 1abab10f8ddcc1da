"""How the page looks: one `<style>`, whose hash the Content-Security-Policy names."""

STYLE = """
:root{color-scheme:light dark;--ink:#17202a;--soft:#4b5563;--line:#8b95a3;--ground:#fff;--card:#f5f7fa;--blue:#1d4ed8;
--note:#e7f6ec;--bad:#fdecec}
@media(prefers-color-scheme:dark){:root{--ink:#f1f5f9;--soft:#b4bfcd;--line:#6b7686;--ground:#0f1720;--card:#1a2430;
--blue:#8ab4ff;--note:#12331f;--bad:#431a1a}}
*{box-sizing:border-box}
body{font:1rem/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);margin:0 auto;max-width:42rem;
padding:2rem 1rem 4rem}
h1{font-size:1.6rem;line-height:1.2;margin:.2rem 0 .4rem}
hr{border:0;border-top:1px solid var(--line);margin:2rem 0 1rem}.line{flex-basis:100%}
.sender{font-weight:600;margin:0}.soft{color:var(--soft);margin:.2rem 0}
fieldset{border:1px solid var(--line);border-radius:.6rem;background:var(--card);margin:1rem 0;padding:.6rem 1rem 1rem;
min-width:0}
legend{font-weight:600;padding:0 .4rem}
.boxes{display:flex;flex-wrap:wrap;gap:.2rem 1.4rem}
label{display:inline-flex;align-items:center;gap:.5rem;min-height:2.75rem}
.field{display:flex;flex-wrap:wrap;align-items:center;gap:.2rem 1.4rem;margin:.3rem 0}
input[type=checkbox]{width:1.25rem;height:1.25rem;accent-color:var(--blue)}
input[type=time],input[type=text]{font:inherit;color:inherit;background:var(--ground);border:1px solid var(--line);
border-radius:.4rem;padding:.4rem .6rem;min-height:2.75rem}
button{font:inherit;min-height:2.75rem;padding:.5rem 1.4rem;border-radius:.5rem;border:1px solid var(--blue);
cursor:pointer;color:var(--blue);background:transparent}
button.first{background:var(--blue);color:var(--ground);font-weight:600}
:focus-visible{outline:3px solid #f59e0b;outline-offset:2px}
.notice{border-radius:.6rem;background:var(--note);padding:.7rem 1rem;margin:1rem 0;display:flex;flex-wrap:wrap;
align-items:center;justify-content:space-between;gap:.6rem}
.notice.bad{background:var(--bad)}.notice form,.notice p{margin:0}
""".strip()
