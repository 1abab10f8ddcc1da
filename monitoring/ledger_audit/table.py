"""A report for people."""

from collections.abc import Iterator

from monitoring.ledger_audit.findings import Promise, Report


def table(report: Report) -> str:
    return "\n".join([*_head(report), "", *_promises(report), *_examples(report), "", _verdict(report)])


def _head(report: Report) -> Iterator[str]:
    yield (
        f"Looked at {report.rows:,} messages, {report.events:,} routed events, {report.told:,} answers to clients "
        f"and {report.received:,} receipts."
    )
    if report.statuses:
        yield "Messages: " + ", ".join(f"{number:,} {status}" for status, number in report.statuses.most_common()) + "."
    if report.extra_sends:
        told = ", ".join(f"{number:,} {outcome}" for outcome, number in report.extra_sends.most_common())
        yield f"Sent more than once, as their records say: {told}."


def _promises(report: Report) -> Iterator[str]:
    broken = report.broken()
    for one in Promise:
        yield f"{one.name}  {f'{broken[one.name]:,} broken' if broken[one.name] else 'holds':<12} {one.value}"


def _examples(report: Report) -> Iterator[str]:
    for kind, number in report.findings.most_common():
        yield ""
        yield f"{kind.replace('_', ' ')}: {number:,}"
        yield from (f"  {one.subject}  {one.detail}" for one in report.examples if one.kind == kind)


def _verdict(report: Report) -> str:
    return "Every promise holds." if report.is_clean else f"{sum(report.findings.values()):,} findings."
