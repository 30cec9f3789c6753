"""What goes wrong with any server, or with what stands between."""

from __future__ import annotations

from wire_formats import Reply

from .fault import Fault

HTML = {"content-type": "text/html; charset=utf-8"}
PAGE = "<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
ELSEWHERE = "/elsewhere"


def _page(title: str) -> str:
    return PAGE.replace("{title}", title)


def _elsewhere(status: int) -> Fault:
    """To another name of this very server, which sees who follows."""
    to = {"location": f"http://localhost:{{port}}{ELSEWHERE}{{path}}"}
    return Fault("server", status, "", to)


ANYBODY = {
    "refused": Fault("connect", course="refused"),
    "reset": Fault("connect", course="reset"),
    "silent": Fault("timeout", course="silent"),
    "silent_after_head": Fault("timeout", course="silent_after_head"),
    "stalled": Fault("timeout", course="stalled"),
    "drip": Fault("timeout", course="drip"),
    "half_body": Fault("server", course="half_body"),
    "endless": Fault("server", course="endless"),
    "endless_error": Fault("server", 500, "x" * 65536, course="endless"),
    "unfinished_stream": Fault("server", course="unfinished", plain=False),
    "no_last_event": Fault("server", course="no_last_event", plain=False),
    "reset_stream": Fault("server", course="reset_midway", plain=False),
    "error_in_stream": Fault("server", course="error_midway", plain=False),
    "garbage": Fault("server", body=b"\xff\xfe\x00 this is {no JSON"),
    "empty": Fault("server", body=""),
    "wrong_shape": Fault("server", body=["not", "an", "answer"], streams=False),
    "bad_gzip": Fault("server", body=b"not compressed", headers={"content-encoding": "gzip"}),
    "bad_gateway": Fault("server", 502, _page("502 Bad Gateway"), HTML),
    "gateway_timeout": Fault("server", 504, _page("504 Gateway Time-out"), HTML),
    "login_page": Fault("server", body=_page("Sign in to this network"), headers=HTML),
    "redirect": _elsewhere(307),
    "redirect_get": _elsewhere(302),
    "leaky_error": Fault(
        "key",
        401,
        {
            "type": "error",
            "error": {
                "type": "authentication_error",
                "message": "Incorrect API key provided: {key}",
                "code": "invalid_api_key",
            },
        },
        {"x-seen": "{key}"},
    ),
    # Google's way behind OpenAI's API.
    "error_in_a_list": Fault(
        "key", 400, [{"error": {"code": 400, "message": "API key not valid."}}]
    ),
    "leaky_page": Fault("server", 500, _page("Not understood: {key}"), HTML),
    # The tokens of an answer without usage are not known: they are not none.
    "uncounted": Fault(None, reply=Reply(counted=False)),
}
