"""Demo sign-ins and forms, made once. Forms go in by the staff API, as a person's would."""

from __future__ import annotations

import json
import secrets
import string
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

import aiohttp
from botocore.exceptions import ClientError

from local.aws import Aws
from local.config import Config, write_atomically


class SeedError(RuntimeError):
    """The deployed stack refused demo data."""


@dataclass(frozen=True, slots=True)
class User:
    username: str
    password: str
    team: str


_USERS = {"cs-sato": "CS", "cs-suzuki": "CS", "gs-tanaka": "GS", "it-ito": "IT"}

FORMS: tuple[Mapping[str, Any], ...] = (
    {
        "form_id": "sakura-city",
        "kind": "municipal_lp",
        "title_ja": "さくら市 空き家相談",
        "title_en": "Sakura City: advice on vacant houses",
        "municipality": "さくら市",
        "consent_version": 1,
        "purpose_version": 1,
        "allowed_origins": ["http://127.0.0.1:8000", "https://www.city.sakura.example.jp"],
        "fields": [
            {"name": "name", "label_ja": "お名前", "label_en": "Name"},
            {"name": "phone", "label_ja": "電話番号", "label_en": "Telephone"},
            {
                "name": "message",
                "label_ja": "ご相談の内容",
                "label_en": "How can we help?",
                "max_length": 2000,
            },
        ],
    },
    {
        "form_id": "midori-town",
        "kind": "municipal_lp",
        "title_ja": "みどり町 空き家バンク登録相談",
        "title_en": "Midori Town: vacant house bank",
        "municipality": "みどり町",
        "consent_version": 1,
        "purpose_version": 1,
        "allowed_origins": ["https://www.town.midori.example.jp"],
        "fields": [
            {"name": "name", "label_ja": "お名前", "label_en": "Name"},
            {"name": "address", "label_ja": "空き家の所在地", "label_en": "Where the house is"},
        ],
    },
    {
        "form_id": "seminar",
        "kind": "web_form",
        "title_ja": "空き家活用セミナー申込",
        "title_en": "Seminar on making use of vacant houses",
        "consent_version": 1,
        "purpose_version": 1,
        "fields": [
            {"name": "name", "label_ja": "お名前", "label_en": "Name"},
            {"name": "company", "label_ja": "会社・団体名", "label_en": "Organisation"},
        ],
    },
)


def users(config: Config, aws: Aws, pool_id: str) -> list[User]:
    """The demo staff, with passwords made at random the first time and kept in the state."""
    file = config.state / "users.json"
    if file.exists():
        staff = [User(**user) for user in json.loads(file.read_text())]
    else:
        staff = [User(name, _password(), team) for name, team in _USERS.items()]
        write_atomically(file, json.dumps([asdict(user) for user in staff], indent=1))
        file.chmod(0o600)
    for user in staff:
        _ensure(aws, pool_id, user)
    return staff


def _ensure(aws: Aws, pool_id: str, user: User) -> None:
    cognito = aws.cognito
    try:
        cognito.admin_get_user(UserPoolId=pool_id, Username=user.username)
    except ClientError as error:
        if error.response["Error"]["Code"] != "UserNotFoundException":
            raise
    else:
        return
    cognito.admin_create_user(
        UserPoolId=pool_id,
        Username=user.username,
        MessageAction="SUPPRESS",
        UserAttributes=[
            {"Name": "email", "Value": f"{user.username}@staff.example.jp"},
            {"Name": "email_verified", "Value": "true"},
        ],
    )
    cognito.admin_set_user_password(
        UserPoolId=pool_id, Username=user.username, Password=user.password, Permanent=True
    )
    cognito.admin_add_user_to_group(UserPoolId=pool_id, Username=user.username, GroupName=user.team)


def access_token(aws: Aws, client_id: str, user: User) -> str:
    """Sign in by password, which only the local deployment allows."""
    answer = aws.cognito.initiate_auth(
        ClientId=client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": user.username, "PASSWORD": user.password},
    )
    return answer["AuthenticationResult"]["AccessToken"]


async def forms(staff_api_url: str, token: str) -> None:
    """Create the demo forms that are not there yet."""
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as http:
        for form in FORMS:
            async with http.get(f"{staff_api_url}/forms/{form['form_id']}") as answer:
                if answer.status == HTTPStatus.OK:
                    continue
            async with http.post(f"{staff_api_url}/forms", json=form) as answer:
                if answer.status not in (HTTPStatus.OK, HTTPStatus.CREATED):
                    raise SeedError(
                        f"The staff API refused the form {form['form_id']}: "
                        f"{answer.status} {await answer.text()}"
                    )


def _password() -> str:
    """Meets the pool's policy: upper and lower case, a digit and a symbol."""
    letters = string.ascii_letters + string.digits
    return "".join(secrets.choice(letters) for _ in range(14)) + "-aZ7"


def described() -> list[dict[str, str]]:
    """The demo forms as stack.json names them."""
    return [{"form_id": form["form_id"], "kind": form["kind"]} for form in FORMS]
