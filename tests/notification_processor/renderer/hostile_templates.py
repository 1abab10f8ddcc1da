"""Templates by people who mean harm. Each is refused, or renders to something harmless; none of them takes long."""

REACHES = [  # for Python behind the values
    "{{ ''.__class__ }}", "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ ''['__class__'].mro }}",
    "{{ ''['__cla' ~ 'ss__']['__base__'] }}", "{{ [].__class__.__base__.__subclasses__() }}", "{{ ().__doc__ }}",
    "{{ x|attr('__class__') }}", "{{ x|attr('\\x5f\\x5fclass\\x5f\\x5f') }}", "{{ x['\\x5f\\x5fclass\\x5f\\x5f'] }}",
    "{{ (1).__class__.__init__.__globals__ }}", "{{ self.__init__.__globals__ }}", "{{ self._TemplateReference__context }}",
    "{{ self }}", "{{ range.__init__.__globals__ }}", "{{ range.__call__ }}", "{{ range }}", "{{ loop }}",
    "{% for i in [1] %}{{ loop.__class__ }}{% endfor %}", "{% for i in [1] %}{{ loop._iterable }}{% endfor %}",
    "{% for i in [1] %}{{ loop['__init__'] }}{{ loop.cycle.__globals__ }}{% endfor %}",
    "{% for i in [1] %}{{ loop.cycle.__func__.__globals__ }}{% endfor %}",
    "{{ x.__init__.__globals__['os'].popen('id').read() }}", "{{ config }}", "{{ request.application.__globals__ }}",
    "{{ url_for.__globals__ }}", "{{ get_flashed_messages.__globals__ }}", "{{ g.pop.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}", "{{ joiner.__init__.__globals__.os }}",
    "{{ namespace.__init__.__globals__.os }}", "{{ lipsum.__globals__.os.environ }}", "{{ lipsum.__globals__['os'] }}",
    "{{ dict.__base__ }}", "{{ dict(a=1).__class__ }}", "{{ caller }}", "{{ varargs }}", "{{ kwargs }}", "{{ super() }}",
    "{{ environment }}", "{{ context }}", "{{ resolve('os') }}", "{{ _budget }}", "{{ _context }}", "{{ l_0_x }}",
    "{{ 'a'.upper() }}", "{{ x.items() }}", "{{ x.pop('a') }}", "{{ x.update({'a': 1}) }}", "{{ things.append(1) }}",
    "{{ things.clear() }}", "{{ things.sort(key=x) }}", "{{ customer.save() }}", "{{ tenant.api_keys }}",
    "{{ x|map(attribute='__class__')|list }}", "{{ [x]|map('attr', '__class__')|list }}",
    "{{ [x]|selectattr('__class__')|list }}", "{{ [x]|sum(attribute='__class__') }}", "{{ [x]|sort(attribute='__class__') }}",
    "{{ [x]|unique(attribute='__class__')|list }}", "{{ [x]|max(attribute='__init__') }}", "{{ x|dictsort(by='__class__') }}",
    "{{ [x]|join(attribute='__class__') }}", "{{ [x]|groupby('__class__') }}", "{{ x|format }}", "{{ x|pprint }}",
    "{{ x is filter('attr') }}", "{{ x is callable }}", "{{ [1]|select('callable')|list }}", "{{ [1]|dictsort }}",
]  # fmt: skip
FORMATS = [
    "{{ '{0.__class__}'.format(x) }}", "{{ '{0.__class__.__init__.__globals__}'.format(x) }}",
    "{{ '{x.__class__}'.format_map({'x': 1}) }}", "{{ '%s'|format(x) }}", "{{ '%2000000000d' % 1 }}", "{{ '%s' % x }}",
    "{{ '%*d' % (2000000000, 1) }}", "{{ '{:2000000000d}'.format(1) }}", "{{ ('{:>' ~ 10**9 ~ '}')|format(1) }}",
    "{{ 'a'.ljust(1000000000) }}", "{{ 'a'.zfill(1000000000) }}", "{{ 'a'.center(1000000000) }}",
    "{{ 'a'.encode('idna') }}", "{{ 'a'.translate({97: 'a' * 9}) }}", "{{ f'{x}' }}", "{{ 'a'|string.format }}",
]  # fmt: skip
ENVIRONMENT = [
    "{{ environ }}", "{{ os.environ }}", "{{ SECRET_KEY }}", "{{ settings.SECRET_KEY }}", "{{ settings.DATABASES }}",
    "{{ lipsum.__globals__.os.environ['DATABASE_URL'] }}", "{{ event.environ }}", "{{ tenant.settings }}", "{{ env }}",
    "{{ sys.modules }}", "{{ open('/proc/self/environ').read() }}", "{% include '/proc/self/environ' %}",
]  # fmt: skip
STATEMENTS = [
    "{% include 'x' %}", "{% include x %}", "{% include ['a', 'b'] ignore missing %}", "{% import 'x' as y %}",
    "{% from 'x' import y %}", "{% extends 'x' %}", "{% extends x %}", "{% block a %}{{ self.a() }}{% endblock %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}",
    "{% call x() %}{% endcall %}", "{% set x %}a{% endset %}", "{% filter upper %}a{% endfilter %}", "{% do x %}",
    "{% set ns = namespace(a=1) %}{% set ns.a = 2 %}", "{% set x.y = 1 %}", "{% set range = x %}{{ range(3) }}",
    "{% for i in range(3) recursive %}{{ loop(range(3)) }}{% endfor %}", "{% autoescape false %}{{ x }}{% endautoescape %}",
    "{% trans %}x{% endtrans %}", "{% debug %}", "{% raw %}{{ x }}", "{% while true %}{% endwhile %}", "{% continue %}",
    "{% for i in [1] %}{% break %}{% endfor %}", "{{ x|safe }}", "{{ '<script>'|safe }}", "{{ cycler(1) }}", "{{ joiner() }}",
    "{{ lipsum(n=1000) }}", "{{ namespace() }}", "{{ dict() }}", "{{ gettext('x') }}", "{% set _x = 1 %}{{ _x }}",
    "{% for _x in [1] %}{% endfor %}", "{% with _x = 1 %}{% endwith %}", "{% if", "{{", "{% for %}", "{#", "{% endif %}",
]  # fmt: skip
NUMBERS = [
    "{{ 7 ** 3000000 }}", "{{ 2 ** 20000000 }}", "{{ (10 ** 64) ** 64 }}", "{{ 9 ** 64 ** 64 }}", "{{ 1 / 0 }}", "{{ 1 % 0 }}",
    "{% set n = 10 ** 18 %}" + "{% set n = n * n %}" * 40 + "{{ n }}", "{{ 1e308 * 10 }}", "{{ -1 ** 0.5 }}",
    "{{ (-8) ** 0.5 }}", "{{ 1|round(1000000000) }}", "{{ 1|round(1000000000, 'ceil') }}", "{{ ('9' * 9)|int }}",
    "{{ digits|int }}", "{{ digits|int(base=36) }}", "{{ digits|float }}", "{{ '1e999999999'|int }}", "{{ " + "9" * 50_000 + " }}",
    "{{ " + "9" * 4_000 + " + 1 }}", "{{ 0x" + "f" * 20_000 + " }}", "{{ range(1000000000) }}", "{{ range(0, 10**18, 1)|list }}",
    "{{ range(10**18, 0, -1) }}", "{{ range(1, 2, 0) }}", "{{ range('a') }}", "{{ range(1000)|sum ** 64 }}", "{{ True ** 10**18 }}",
    "{{ 1 " + "+ 1 " * 900 + "}}", "{{ " + "-" * 900 + "1 }}", "{{ " + "not " * 900 + "1 }}",
]  # fmt: skip
GIANTS = [
    "{{ 'A' * 300000000 }}", "{{ ('A' * 300000000)|length }}", "{{ 300000000 * 'A' }}", "{{ [1] * 300000000 }}", "{{ x * x }}",
    "{% set x = 'aa' %}" + "{% set x = x ~ x %}" * 30 + "{{ x }}", "{% set x = 'aa' %}" + "{% set x = x + x %}" * 30 + "{{ x }}",
    "{% set x = [1, 1] %}" + "{% set x = x + x %}" * 30 + "{{ x }}", "{% set x = (1, 1) %}" + "{% set x = x + x %}" * 30 + "{{ x }}",
    "{% set x = 'aaaaaaaa' %}" + "{% set x = x|replace('a', 'aaaaaaaa') %}" * 12 + "{{ x }}", "{{ big|replace('', big) }}",
    "{% set x = ['a', 'a'] %}" + "{% set x = [x|join(x|join), x|join] %}" * 30 + "{{ x|join }}", "{{ big|list|join(big) }}",
    "{{ big|indent(1000000000) }}", "{{ big|center(1000000000) }}", "{{ big|wordwrap(1) }}", "{{ big|batch(1000000000, 'x')|list }}",
    "{{ things|slice(1000000000)|list }}", "{{ big|filesizeformat }}", "{{ big|xmlattr }}", "{{ big|urlize }}",
    "{% for i in range(1000) %}{{ big }}{% endfor %}", "{% for i in range(1000) %}{{ big|upper }}{{ big }}{% endfor %}",
    "{% for i in range(1000) %}{% set x = big ~ big ~ big %}{% endfor %}", "{{ " + "big ~ " * 200 + "big }}",
    "{{ big" + "|urlencode" * 300 + " }}", "{{ (big|list)|tojson" + "|tojson" * 200 + " }}", "{{ big" + "|forceescape" * 300 + "|length }}",
    "{% set x = [1, 1] %}" + "{% set x = [x, x] %}" * 40 + "{{ x }}", "{% set x = [1] %}" + "{% set x = [x, x] %}" * 40 + "{{ x|string|length }}",
    "{% set x = [1] %}" + "{% set x = [x, x] %}" * 40 + "{{ x|tojson }}", "{% set x = {'a': 1} %}" + "{% set x = {'a': x, 'b': x} %}" * 40 + "{{ x }}",
    "{% set x = [1] %}" + "{% set x = [x, x] %}" * 40 + "{% set y = [1] %}" + "{% set y = [y, y] %}" * 40 + "{{ x == y }}",
    "{% set x = [1] %}" + "{% set x = [x, x] %}" * 40 + "{{ x|join }}", "{% set x = (1, 1) %}" + "{% set x = (x, x) %}" * 40 + "{{ [x]|unique|list }}",
    "{{ big|list|sort|reverse|list|sort|unique|list|length }}", "{{ things|sum(start=things) }}", "{{ [things, things]|sum(start=[]) }}",
    "{{ big|truncate(10**18) }}", "{{ big|truncate(-1) }}", "{{ '\u0130' ~ big|lower|upper|title|capitalize }}",
]  # fmt: skip
LOOPS = [
    "{% for a in range(1000) %}" * 3 + "{% endfor %}" * 3, "{% for a in range(1000) %}" * 9 + "{% endfor %}" * 9,
    "{% for a in big|list %}{% for b in big|list %}{% endfor %}{% endfor %}", "{% for a in range(1000) %}{{ big|list|sort|length }}{% endfor %}",
    "{% for a in range(1000) %}{% for b in range(99) %}{{ " + "a + b * " * 300 + "1 }}{% endfor %}{% endfor %}",
    "{% for a in range(1000) %}{{ big|title|upper|lower|replace('a', 'b')|length }}{% endfor %}",
    "{% for a in range(1000) %}{{ big|list|unique|list|length }}{% endfor %}", "{% for a in range(1000) if a == 2000 %}{% else %}x{% endfor %}",
    "{% for a in range(1000) if big|list|sort %}{{ a }}{% endfor %}", "{% for a in range(1000) %}{{ big|striptags|wordcount }}{% endfor %}",
    "{% for a in range(1000) %}{{ ('<' ~ big)|striptags|length }}{% endfor %}", "{% for a in range(1000) %}{{ big|wordcount }}{% endfor %}",
    "{{ range(1000)|select('in', range(1000))|list|length }}", "{% for a in range(1000) %}{{ range(1000)|select('in', big|list)|list|length }}{% endfor %}",
    "{{ range(1000)|reject('odd')|list }}", "{% for a in range(1000) %}{{ range(1000)|sum + range(1000)|max }}{% endfor %}",
    "{% for a in x %}{% for b in a %}{% for c in b %}{% for d in c %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for a in range(1000) %}{{ loop.cycle(" + "a, " * 500 + "a) }}{% endfor %}", "{% for a in range(1000) %}{{ loop.changed(big) }}{% endfor %}",
    "{% for a in 5 %}{% endfor %}", "{% for a in big %}{% for b in big %}{{ a }}{{ b }}{% endfor %}{% endfor %}",
    "{% for a in x recursive %}{{ loop(x) }}{% endfor %}", "{% for a, b in things %}{% endfor %}",
]  # fmt: skip
NESTING = [
    "{{ " + "(" * 400 + "1" + ")" * 400 + " }}", "{{ " + "[" * 400 + "1" + "]" * 400 + " }}", "{{ " + "{1:" * 300 + "1" + "}" * 300 + " }}",
    "{% if x %}" * 150 + "{% endif %}" * 150, "{% if x %}" * 900 + "{% endif %}" * 900, "{% with %}" * 900 + "{% endwith %}" * 900,
    "{{ x" + ".y" * 3_000 + " }}", "{{ x" + "['y']" * 900 + " }}", "{{ x" + "|e" * 1_900 + " }}", "{{ x" + "|default(x" * 300 + ")" * 300 + " }}",
    "{{ 1" + " if x else 1" * 600 + " }}", "{{ " + "x and " * 1_500 + "x }}", "{{ x" + "()" * 900 + " }}", "{{ x" + "(1)" * 900 + " }}",
    "{{ x is " + "not " * 900 + "none }}", "{{ " + "x == " * 900 + "x }}", "{% if x %}{% elif x %}" + "{% elif x %}" * 1_500 + "{% endif %}",
    "{{ x }}" * 3_000, "{# " + "a" * 60_000 + " #}", "a" * 70_000, "{{ x" + " " * 60_000 + "}}", "{{ '" + "a" * 60_000 + "' }}",
    "{{ '" + "\\u0041" * 9_000 + "' }}", "{%-" * 9_000, "{{" * 9_000, "}}" * 9_000, "{#" * 9_000, "-%}" * 9_000,
    "{{ x(" + "a=1, " * 300 + ") }}", "{{ range(*x) }}", "{{ range(**x) }}", "{{ range(" + "1, " * 900 + ") }}",
]  # fmt: skip
PATTERNS = [  # for whatever is a regular expression behind a filter
    "{{ ('<' * 200)|striptags }}", "{{ ('<!--' ~ big)|striptags }}", "{{ nested|striptags }}", "{{ nested|wordcount }}", "{{ nested|title }}",
    "{{ nested|urlencode }}", "{{ nested|truncate(5, true, nested) }}", "{{ nested|replace('<', nested) }}", "{{ nested|int }}",
    "{{ spaces|trim|wordcount }}", "{{ spaces|title|length }}", "{{ spaces|striptags|length }}", "{{ (spaces ~ 'x')|float }}",
    "{{ 'a@' ~ big|urlize }}", "{{ ('http://' ~ big)|urlize }}", "{{ 'x'|replace('(a+)+$', big) }}",
]  # fmt: skip
UNICODE = [
    "{{ x }}\u202e{{ '\u202eevil' }}", "{{ \uff3f\uff3fclass\uff3f\uff3f }}", "{{ x.\uff3f\uff3fclass\uff3f\uff3f }}", "{{ x.__\u0441lass__ }}",
    "{{ \u2115 }}", "{{ 'x'|\u0435 }}", "\ufeff{{ x }}", "{{ '\u0000' }}".replace("\u0000", "\\x00"), "{{ '\\ud800' }}", "{{ x['\\ud800'] }}", "{{ '\\ud800'|int('a') + 1 }}", "{{ ''|default('\\x00', true) }}", "{{ x['\\x00'] }}", "{{ '\\N{BELL}' }}",
    "{{ '\\U0010ffff' }}", "{{ '\\x' }}", "{{ '\u0345' ~ '\u0390'|upper|lower|upper }}", "{\u200b{ x }}", "{{ x \u2028}}", "{{ 'ﷺ'|upper|title }}",
    "{{ '\U0001f468\u200d\U0001f469' | reverse }}", "{{ x['\uff3f\uff3fclass\uff3f\uff3f'] }}", "{% \uff46or i in x %}{% endfor %}",
]  # fmt: skip

CORPUS = {
    "reaches": REACHES,
    "formats": FORMATS,
    "environment": ENVIRONMENT,
    "statements": STATEMENTS,
    "numbers": NUMBERS,
    "giants": GIANTS,
    "loops": LOOPS,
    "nesting": NESTING,
    "patterns": PATTERNS,
    "unicode": UNICODE,
}
DATA = {
    "x": {"a": "1", "b": [1, 2]},
    "things": list(range(1_000)),
    "big": "a" * 10_000,
    "digits": "9" * 5_000,
    "nested": "<" * 3_000 + "a" + ">" * 3_000,
    "spaces": " " * 9_000 + "\t" * 900,
}
