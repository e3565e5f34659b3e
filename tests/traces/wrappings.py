# SPDX-License-Identifier: GPL-2.0-or-later
"""The ways in which people pass a kernel's log on: `wrappings` has a function for each, from the kernel's own lines."""
import base64
import bz2
import email.message
import gzip
import html
import json
import lzma
import quopri
import subprocess


def each(form):
    return lambda lines: "\n".join(form(i, line) for i, line in enumerate(lines)) + "\n"


def stamp(i):
    return f"[{4000 + i // 7:5d}.{i:06d}]"


def export(lines):
    return "".join(f"__CURSOR=s=1;i={i}\n__REALTIME_TIMESTAMP=17{i:014d}\n_TRANSPORT=kernel\nPRIORITY=4\nMESSAGE={x}\n\n"
                   for i, x in enumerate(lines))


def mail(lines, encoding):
    body = "\n".join(lines) + "\n"
    if encoding == "base64":
        body = base64.encodebytes(body.encode()).decode()
    else:
        body = quopri.encodestring(body.encode()).decode()
    return ("From: someone@example.org\nSubject: BUG: it hangs\nMIME-Version: 1.0\n"
            'Content-Type: multipart/mixed;\n boundary="=_part_1"\n\n--=_part_1\n'
            f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: {encoding}\n\n{body}"
            "\n--=_part_1\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--=_part_1--\n")


def library_mail(lines):
    message = email.message.EmailMessage()
    message["Subject"] = "Re: \u00fcberlastet, BUG: it hangs"
    message.set_content("Hello,\n\nthe log is attached.\n")
    message.add_attachment("".join(f"{stamp(i)} {x}\n" for i, x in enumerate(lines)), filename="dmesg.txt")
    return message.as_bytes()


def page(lines):
    return ("<!DOCTYPE html>\n<html><head><title>it hangs</title><style>p { x: y }</style></head><body>"
            "<div class='post'>" + "<br/>".join(html.escape(stamp(i) + " " + x) for i, x in enumerate(lines)) +
            "</div><script>var a = '<p>';</script></body></html>")


def quoted_and_wrapped(lines):
    out = []
    for i, line in enumerate(lines):
        text, width = stamp(i) + " " + line, 76
        while len(text) > width and " " in text[20:width].rstrip():
            cut = text.rindex(" ", 20, width)
            out.append("> > " + text[:cut])
            text = text[cut + 1:]
        out.append("> > " + text)
    return "\n".join(out) + "\n"


wrappings = {
    "dmesg": each(lambda i, x: f"{stamp(i)} {x}"),
    "dmesg -T": each(lambda i, x: f"[Wed Jan 14 03:04:{i % 60:02d} 2026] {x}"),
    "dmesg -H": each(lambda i, x: f"[Jan14 03:04] {x}" if not i else f"[  +0.{i:06d}] {x}"),
    "dmesg -d": each(lambda i, x: f"[{4000:5d}.{i:06d} <    0.000001>] {x}"),
    "dmesg -x": each(lambda i, x: f"kern  :{'err ' if i % 3 else 'info'}  : {stamp(i)} {x}"),
    "dmesg --time-format iso": each(lambda i, x: f"2026-01-14T03:04:05,{i:06d}+01:00 {x}"),
    "dmesg -J": lambda lines: '{\n   "dmesg": [' + ",".join(
        f'{{\n         "pri": 4,\n         "time": {4000 + i / 1000:14.6f},\n         "msg": {json.dumps(x)}\n      }}'
        for i, x in enumerate(lines)) + "\n   ]\n}\n",
    "dmesg -r": each(lambda i, x: f"<4>{stamp(i)} {x}"),
    "a caller after the time": each(lambda i, x: f"{stamp(i)}[ T4711] {x}"),
    "/dev/kmsg": each(lambda i, x: f"3,{900 + i},{4000000000 + i},-,caller=T30;{x}"),
    "extended netconsole in a syslog": each(lambda i, x: f"Jan 14 03:04:05 node9 3,{900 + i},{4000000000 + i},-;{x}"),
    "syslog": each(lambda i, x: f"Jan 14 03:04:05 node9 kernel: {stamp(i)} {x}"),
    "journalctl": each(lambda i, x: f"Jan 14 03:04:05 node9 kernel: {x}"),
    "journalctl -o short-iso": each(lambda i, x: f"2026-01-14T03:04:05+0100 node9 kernel: {x}"),
    "journalctl -o short-full": each(lambda i, x: f"Wed 2026-01-14 03:04:05.{i:06d} CET node9 kernel: {x}"),
    "journalctl -o short-monotonic": each(lambda i, x: f"{stamp(i)} node9 kernel: {x}"),
    "journalctl -o json": each(lambda i, x: json.dumps({"_HOSTNAME": "node9", "PRIORITY": "4", "MESSAGE": x})),
    "journalctl -o json, bytes": each(lambda i, x: json.dumps({"PRIORITY": "4", "MESSAGE": list(x.encode())})
                                      if x else json.dumps({"MESSAGE": ""})),
    "journalctl -o json-pretty": lambda lines: "".join(
        "{\n\t\"PRIORITY\" : \"4\",\n\t\"MESSAGE\" : " + json.dumps(x) + "\n}\n" for x in lines),
    "journalctl -o export": export,
    "a container's JSON": each(lambda i, x: json.dumps({"log": x + "\n", "stream": "stdout", "time": "2026-01-14"})),
    "JSON with an unknown key": each(lambda i, x: json.dumps({"n": i, "payload": x})),
    "several lines in one JSON text": lambda lines: json.dumps({"message": "\n".join(lines)}) + "\n",
    "a serial console's name": each(lambda i, x: f"ttyS0| {stamp(i)} {x}"),
    "a login prompt": each(lambda i, x: f"node9 login: {stamp(i)} {x}"),
    "an unknown collector": each(lambda i, x: f"node9!console#3 (w{i % 10}) ~ {x}"),
    "another one, with a time of day": each(lambda i, x: f"03:04:{i % 60:02d}.123 | vm-7 | {x}"),
    "line numbers": each(lambda i, x: f"{i + 1:4d}: {x}"),
    "quoted": each(lambda i, x: f"> {x}"),
    "quoted in three ways": each(lambda i, x: f"> | : {stamp(i)} {x}"),
    "quoted and wrapped": quoted_and_wrapped,
    "quoted-printable": lambda lines: mail(lines, "quoted-printable"),
    "base64": lambda lines: mail(lines, "base64"),
    "HTML escapes": each(lambda i, x: html.escape(x)),
    "a saved page": page,
    "CRLF": lambda lines: "\r\n".join(lines) + "\r\n",
    "^M": each(lambda i, x: x + "^M"),
    "colours": each(lambda i, x: f"\033[32m{stamp(i)} \033[0m\033[33m{x}\033[0m"),
    "UTF-8 with a mark": lambda lines: b"\xef\xbb\xbf" + "\n".join(lines).encode(),
    "UTF-16": lambda lines: "\n".join(lines).encode("utf-16"),
    "UTF-16, big endian, no mark": lambda lines: "\n".join(lines).encode("utf-16-be"),
    "gzip": lambda lines: gzip.compress("\n".join(lines).encode()),
    "xz": lambda lines: lzma.compress("\n".join(lines).encode()),
    "zstd": lambda lines: subprocess.run(["zstd", "-q", "-c"], input="\n".join(lines).encode(), stdout=subprocess.PIPE,
                                         check=True).stdout,
    "bzip2": lambda lines: bz2.compress("\n".join(lines).encode()),
    "two gzip files in one": lambda lines: gzip.compress("\n".join(lines[:9]).encode() + b"\n") +
    gzip.compress("\n".join(lines[9:]).encode()),
    "a mail's attachment, in a journal's JSON": lambda lines: mail(
        [json.dumps({"MESSAGE": f"{stamp(i)} {x}"}) for i, x in enumerate(lines)], "base64"),
    "a serial console with callers and CRLF": lambda lines: "".join(
        f"{stamp(i)}[    T30] {x}\r\n" for i, x in enumerate(lines)),
    "a Kubernetes log": each(lambda i, x: f"2026-01-14T03:04:05.{i:09d}Z stdout F {stamp(i)} {x}"),
    "a mail that quotes a journal, quoted-printable": lambda lines: mail(
        [f"> Jan 14 03:04:05 node9 kernel: {x}" for x in lines], "quoted-printable"),
    "a mail made by a library": library_mail,
    "behind 300 KiB of other lines": lambda lines: "usb 1-1: new high-speed USB device\n" * 9000 + "\n".join(lines) + "\n",
}
