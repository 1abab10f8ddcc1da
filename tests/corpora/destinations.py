"""Where a tenant would like to send us: hosts and URLs that must never be reached, and what their names resolve to.

`{port}` is where the canary listens; ports are open in these tests, so that nothing but the address is in the way.
"""

# ruff: noqa: SIM905 - a table of addresses reads better as a text

LITERALS = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 127.0.0.1 127.0.1.1 127.127.127.127
    127.255.255.254 168.63.129.16 169.254.0.1 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1
    192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1
    239.255.255.255 240.0.0.1 255.255.255.255
    [::] [::1] [0:0:0:0:0:0:0:1] [::0001] [0000::1] [::127.0.0.1] [::ffff:127.0.0.1] [::ffff:7f00:1]
    [0:0:0:0:0:ffff:127.0.0.1] [::FFFF:7F00:0001] [::ffff:10.0.0.1] [::ffff:169.254.169.254] [::ffff:8.8.8.8]
    [::ffff:0:127.0.0.1] [64:ff9b::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b::8.8.8.8] [64:ff9b:1::a00:1] [100::1]
    [2001::1] [2001:0:7f00:1::] [2001:10::1] [2001:db8::1] [2002:7f00:1::] [2002:a00:1::1] [2002:c0a8:101::]
    [3fff::1] [5f00::1] [fc00::1] [fd00:ec2::254] [fdff::1] [fe80::1] [febf::1] [fec0::1] [ff02::1] [ff05::1:3]
    [ff0e::1] [4000::1]
""".split()
ODDLY_WRITTEN = """
    2130706433 02130706433 017700000001 0017700000001 0x7f000001 0x7F000001 0X7F000001 0x07f000001 127.1 127.0.1
    127.0.0.01 127.0.0.001 127.00.0.1 0177.0.0.1 0177.1 0177.0.1 0x7f.1 0x7f.0.1 0x7f.0.0.1 0x7f.0x0.0x0.0x1
    0177.0.0x0.1 127.0x1 127.0.0x1 0 0.0 00 0x0 0.0.0 10.1 0xa.1 012.0.0.1 0xa9fea9fe 2852039166 0251.0376.0251.0376
    169.254.43518 0xa9.0xfe.0xa9.0xfe 127.0.0.1. 127.0.0.1.. 2130706433. 0x7f.1. localhost localhost. LOCALHOST
    LocalHost localhost.. 127.0.0.256 4294967296 127.0.0.1.1
    [fe80::1%25lo] [fe80::1%lo] [::1%25lo] [::1%lo] [::ffff:127.0.0.1%25lo] [::1]. [::1 ::1] [127.0.0.1] [[::1]]
    [v1.127.0.0.1] [0x7f000001] ①②⑦.⓪.⓪.① １２７.０.０.１ 127。0。0。1 127．0．0．1 ⓛⓞⓒⓐⓛⓗⓞⓢⓣ loc\u00adalhost
    ١٢٧.٠.٠.١ 127.0.0.1\u200b %31%32%37.0.0.1 127%2e0.0.1 127.0.0.1%00.example %6cocalhost 127.0.0.1,8.8.8.8
    127.0.0.1;8.8.8.8 a..b .example.com
""".split()
# What each name resolves to, one list for each time it is asked; the last one from then on.
NAMES: dict[str, list[list[str]]] = {
    "ip6-localhost": [["::1"]],
    "localhost.localdomain": [["127.0.0.1"]],
    "loopback.example": [["127.0.0.1"]],
    "loopback6.example": [["::1"]],
    "both-loopbacks.example": [["127.0.0.1", "::1"]],
    "127.0.0.1.nip.example": [["127.0.0.1"]],
    "zero.example": [["0.0.0.0"]],
    "zero6.example": [["::"]],
    "private.example": [["10.1.2.3"]],
    "private172.example": [["172.20.0.1"]],
    "private192.example": [["192.168.1.1"]],
    "metadata.google.internal": [["169.254.169.254"]],
    "metadata6.example": [["fd00:ec2::254"]],
    "azure-host.example": [["168.63.129.16"]],
    "alibaba-metadata.example": [["100.100.100.200"]],
    "carrier.example": [["100.64.1.1"]],
    "multicast.example": [["224.0.0.251"]],
    "multicast6.example": [["ff02::fb"]],
    "reserved.example": [["240.0.0.1"]],
    "broadcast.example": [["255.255.255.255"]],
    "benchmark.example": [["198.18.0.1"]],
    "documentation.example": [["203.0.113.7"]],
    "link-local.example": [["169.254.1.1"]],
    "link-local6.example": [["fe80::1%lo"]],
    "site-local6.example": [["fec0::1"]],
    "unique-local6.example": [["fd12:3456::1"]],
    "mapped.example": [["::ffff:127.0.0.1"]],
    "mapped-private.example": [["::ffff:192.168.0.1"]],
    "compatible.example": [["::127.0.0.1"]],
    "nat64.example": [["64:ff9b::7f00:1"]],
    "nat64-local.example": [["64:ff9b:1::7f00:1"]],
    "6to4.example": [["2002:7f00:1::"]],
    "teredo.example": [["2001:0:7f00:1::"]],
    "mixed-good-first.example": [["8.8.8.8", "127.0.0.1"]],
    "mixed-bad-first.example": [["127.0.0.1", "8.8.8.8"]],
    "mixed-families.example": [["8.8.8.8", "::1"]],
    "mixed-last-of-many.example": [["8.8.8.8", "1.1.1.1", "2606:4700::1111", "9.9.9.9", "10.0.0.1"]],
    "mixed-metadata.example": [["2606:4700::1111", "169.254.169.254"]],
}
URLS = """
    http://8.8.8.8@127.0.0.1:{port}/ http://user@127.0.0.1:{port}/ http://user:pass@127.0.0.1:{port}/
    http://127.0.0.1:{port}@8.8.8.8/
    http://8.8.8.8\\@127.0.0.1:{port}/ http://127.0.0.1:{port}\\@8.8.8.8/ http://8.8.8.8%40127.0.0.1:{port}/
    http://:@127.0.0.1:{port}/ http://@127.0.0.1:{port}/ http://[::1]@8.8.8.8:{port}/ http://8.8.8.8@[::1]:{port}/
    http:127.0.0.1:{port}/ http:/127.0.0.1:{port}/ http:///127.0.0.1:{port}/ http:////127.0.0.1:{port}/
    //127.0.0.1:{port}/ http:\\\\127.0.0.1:{port}/ http:/\\127.0.0.1:{port}/ /\\127.0.0.1:{port}/ 127.0.0.1:{port}
    hTTp://127.0.0.1:{port}/ HTTPS://127.0.0.1:{port}/ https://127.0.0.1:{port}/ http://127.0.0.1:0{port}/
    http://127.0.0.1:+{port}/ http://127.0.0.1:{port}:80/ http://127.0.0.1:80:{port}/ http://127.0.0.1:{port}#/
    http://127.0.0.1:{port}?/ http://127.0.0.1:{port};/ http://127.0.0.1:{port}/../../etc/passwd
    http://127.0.0.1:{port}/%0d%0aHost:%20evil http://127.0.0.1:{port}/%00 http://127.0.0.1:９０９０/
    file:///etc/passwd file://127.0.0.1:{port}/ ftp://127.0.0.1:{port}/ gopher://127.0.0.1:{port}/_%0a
    dict://127.0.0.1:{port}/ ldap://127.0.0.1:{port}/ tftp://127.0.0.1:{port}/ sftp://127.0.0.1:{port}/
    jar:http://127.0.0.1:{port}!/ netdoc:///etc/passwd data:text/plain,x javascript:alert(1) unix:///tmp/socket
    ws://127.0.0.1:{port}/ wss://127.0.0.1:{port}/ url:http://127.0.0.1:{port}/ http+unix://%2ftmp%2fsocket/
    blob:http://127.0.0.1:{port}/ about:blank smb://127.0.0.1:{port}/ redis://127.0.0.1:{port}/
""".split()
WITH_BLANKS = (
    "http://127.0.0.1:{port}/\r\nX-Injected: 1",
    "http://127.0.0.1:{port}\t/",
    "http://8.8.8.8 @127.0.0.1:{port}/",
    "http://127.0.0.1 .example:{port}/",
    "http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: evil\r\n\r\n",
    "ht\ttp://127.0.0.1:{port}/",
    "http://127.0.0.1\n.example:{port}/",
    "http://exa\x00mple@127.0.0.1:{port}/",
)
PORTS = (0, 1, 21, 22, 23, 25, 53, 110, 111, 135, 389, 445, 2375, 3306, 5432, 6379, 8000, 8080, 9200, 11211, 65535)
HOSTS = {"literals": LITERALS, "oddly written": ODDLY_WRITTEN, "names": [*NAMES]}
DESTINATIONS = {kind: [f"http://{host}:{{port}}/hook" for host in hosts] for kind, hosts in HOSTS.items()} | {
    "URLs": [*URLS, *WITH_BLANKS]
}
LOOKING_LIKE_LOOPBACK = (  # but leading to 8.8.8.8
    "http://8.8.8.8#@127.0.0.1:{port}/",
    "http://8.8.8.8?@127.0.0.1:{port}/",
    "http://8.8.8.8/127.0.0.1:{port}/hook",
    "http://8.8.8.8/@127.0.0.1:{port}/",
    "http://8.8.8.8/;@127.0.0.1:{port}/",
    "http://8.8.8.8/?url=http://127.0.0.1:{port}/",
)
REDIRECTS = (301, 302, 303, 307, 308)
