"""What every mail of a campaign must carry."""

from __future__ import annotations

import re

from tests.e2e.product import Json, Product


def check_mail(product: Product, mail: Json, *, body: str) -> None:
    """Headers and footer by the contract's "Mail" and 特定電子メール法 4条."""
    headers = mail["headers"]
    domain = product.stack["mail_domain"]
    assert headers["To"] == mail["to"]
    assert "," not in headers["To"]
    assert not {"Cc", "Bcc"} & headers.keys()
    assert headers["From"].endswith(f"@{domain}>")
    link = product.stack["public_url"] + product.link_in(mail)
    assert len(link) < 120
    https, mailto = headers["List-Unsubscribe"].split(", ")
    assert https == f"<{link}>"
    assert re.fullmatch(rf"<mailto:[^@>]+@{re.escape(domain)}>", mailto)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    # A feedback loop's four fields; the last names us for ever.
    assert re.fullmatch(r"[0-9a-f]{12}:campaign:optin:[0-9a-f]{12}", headers["Feedback-ID"])
    assert re.fullmatch(r"<[^<>@ ]+@[a-z0-9.-]+>", headers["Message-ID"])
    assert headers["Content-Type"].startswith("multipart/alternative")
    sender = headers["From"].partition("<")[0].strip()
    for part in (mail["text"], mail["html"]):
        said = re.sub(r"<[^>]+>", "", part)
        assert body in said
        assert sender in said
        assert "このメールの配信停止をご希望の場合は、以下のURLからお手続きいただくか、" in said
        assert "住所" in said
        assert "〒" in said
        assert "お問い合わせ・苦情" in said
        assert headers["Reply-To"] in said
        assert link in part
