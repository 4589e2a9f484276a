"""What a mail asks for, from the words its writer wrote: rules over tables of words (S2, R1).

Japanese says what is done last and what it is done to just before, so a sentence is read as
``object + verb + mood``: "メールの配信 | 停止 | しないでください". A verb means something only
with its object (配信の停止 is a stop, 水道の停止 is not) and its mood (asked, doubtful, against).
English is read by phrase, its mood by what stands before. Where a mail asks for several things,
the first of ``_ORDER`` is its wish and the others stand in ``also``.

A stop that is missed breaks the law (特定電子メール法 3条3項), a stop too many only keeps mail
from somebody, and MAYBE_STOP costs staff a look: what is unsure about stopping becomes that.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from itertools import islice, pairwise
from types import MappingProxyType

from shared.texts.consent import PUBLISHED, TextId


class Wish(StrEnum):
    """What is asked for. Values that are a kind of case equal that kind's."""

    STOP = "stop"
    MAYBE_STOP = "maybe_stop"
    DISCLOSURE = "disclosure"
    CORRECTION = "correction"
    ERASURE = "erasure"
    STOP_USE = "stop_use"
    INQUIRY = "inquiry"


@dataclass(frozen=True, slots=True)
class Understanding:
    """The wish, how sure (percent), why (a code of ``REASONS``), and what else is asked for."""

    wish: Wish
    confidence: int
    reason: str
    also: tuple[Wish, ...] = ()


def understand(subject: str, words: str) -> Understanding:
    """Read what a person wrote. Quotations and signature are gone from ``words`` already."""
    texts = (_own_subject(_plain(subject)), _plain(words))
    sentences = [sentence for text in texts for sentence in _sentences(text)]
    reasons = _reasons(sentences)
    if any(map(_BREAKS.search, texts)):  # a word may be broken where it is not seen
        whole = _reasons([said for text in texts for said in _sentences(_BREAKS.sub("", text))])
        reasons |= whole if not reasons else whole & _AGAINST_CODES
    if not reasons and _unwilling(sentences):
        reasons = {"may_mean_stop"}
    if "asks_to_resume" in reasons:
        reasons -= {"stop_not_certain"}  # it tells of the stop that is to end
    if reasons & _AGAINST_CODES:  # where both are said, somebody has to look
        reasons = {"stop_not_certain" if r in _STOP_CODES else r for r in reasons}
    codes = [code for code in _ORDER if code in reasons] or [
        "nothing_recognised" if sentences else "no_words"
    ]
    wish, confidence = _MEANS[codes[0]]
    wishes = dict.fromkeys(_MEANS[code][0] for code in codes)
    if codes[0] == "says_erase_alone":  # as often said of a list as of data
        wishes[Wish.STOP] = None
    also = tuple(w for w in wishes if w not in {wish, Wish.INQUIRY})
    return Understanding(wish, confidence, codes[0], also)


def cites_gdpr(subject: str, words: str) -> bool:
    """Whether the writer refers to the GDPR. That is a claim: where they live is another matter."""
    return any(map(_GDPR.search, (_own_subject(_plain(subject)), _plain(words))))


# --- what each finding means, the strongest first -------------------------------------------

# A disclosure comes before an erasure, which would destroy what is to be disclosed.
_MEANS: Mapping[str, tuple[Wish, int]] = {
    "says_disclose": (Wish.DISCLOSURE, 90),
    "says_erase": (Wish.ERASURE, 90),
    "says_stop_use": (Wish.STOP_USE, 85),
    "says_erase_alone": (Wish.ERASURE, 60),
    "says_correct": (Wish.CORRECTION, 85),
    "may_mean_erase": (Wish.ERASURE, 50),
    "says_stop": (Wish.STOP, 95),
    "says_stop_alone": (Wish.STOP, 85),
    "stop_not_certain": (Wish.MAYBE_STOP, 60),
    "stop_deep_in_text": (Wish.MAYBE_STOP, 60),
    "stop_of_something": (Wish.MAYBE_STOP, 40),
    "may_mean_stop": (Wish.MAYBE_STOP, 50),
    "says_do_not_stop": (Wish.INQUIRY, 80),
    "asks_to_resume": (Wish.INQUIRY, 80),
    "nothing_recognised": (Wish.INQUIRY, 50),
    "no_words": (Wish.INQUIRY, 30),
}
_ORDER = tuple(_MEANS)
_STOP_CODES = {"says_stop", "says_stop_alone"}
_AGAINST_CODES = {"says_do_not_stop", "asks_to_resume"}

REASONS: Mapping[str, tuple[str, str]] = MappingProxyType({
    "says_disclose": (
        "お預かりしている情報の開示・確認を求めています。",
        "Asks what is held about the person.",
    ),
    "says_erase": (
        "個人情報・アドレスの削除を求めています。",
        "Asks for personal data or the address to be erased.",
    ),
    "says_stop_use": (
        "個人情報の利用停止、または同意の撤回を求めています。",
        "Forbids the use of the data or withdraws consent.",
    ),
    "says_erase_alone": (
        "「削除してください」とだけあります。個人情報か配信リストかは書かれていません。",
        "Says only 'delete': whether the data or the list is not said.",
    ),
    "says_correct": (
        "登録内容(アドレス、氏名など)の変更・訂正を求めています。",
        "Asks for the address, name or other data to be changed.",
    ),
    "may_mean_erase": (
        "個人情報の削除について尋ねています。",
        "Asks about having data erased.",
    ),
    "says_stop": (
        "配信停止を求めています。",
        "Asks for mail to stop.",
    ),
    "says_stop_alone": (
        "「停止」「不要」などの言葉だけが書かれています。",
        "Says 'stop' or 'not needed' and little else.",
    ),
    "stop_not_certain": (
        "配信停止に触れていますが、質問・伝聞・条件・過去の話などで、依頼とは言い切れません。",
        "Speaks of stopping, but as a question, a report, a condition or in the past.",
    ),
    "stop_deep_in_text": (
        "長い文章の中に、停止を求める言葉があります。",
        "A longer text on other matters has words that ask to stop.",
    ),
    "stop_of_something": (
        "何かの停止・不要を伝えていますが、メールのことかどうか分かりません。",
        "Something is to stop or is not needed; whether it is the mail is not clear.",
    ),
    "may_mean_stop": (
        "配信への苦情や、受け取る心当たりがない旨が書かれています。",
        "Complains of the mail, or does not know why it comes.",
    ),
    "says_do_not_stop": (
        "「停止しないで」など、停止を望まない言葉があります。",
        "Says not to stop.",
    ),
    "asks_to_resume": (
        "配信の再開や継続を求めています。",
        "Asks for mail to resume or go on.",
    ),
    "nothing_recognised": (
        "停止や個人情報についての言葉は見当たりません。",
        "No words about stopping or personal data.",
    ),
    "no_words": (
        "本人の書いた言葉がありません。",
        "There are no words of the person's own.",
    ),
})  # fmt: skip


# --- how the tables are written -------------------------------------------------------------


def _table(words: str) -> re.Pattern[str]:
    """Alternatives, parted by blanks. ``…``: up to sixteen characters.

    Hiragana stands for katakana too.
    """
    patterns = "|".join(" ".join(_lines(words)).split()).replace("…", ".{0,16}")
    return re.compile(re.sub(r"\[[^\]]*\]|[ぁ-ゖ]", _both_kana, _plain_groups(patterns)))


def _phrases(lines: str) -> re.Pattern[str]:
    """English: a phrase a line. `` … ``: up to 24 characters; DATA, MAIL, AFEW as below."""
    pattern = "|".join(line if line.endswith("$") else rf"{line}\b" for line in _lines(lines))
    for name, meaning in _ENGLISH.items():
        pattern = pattern.replace(name, meaning)
    return re.compile(_plain_groups(rf"\b(?:{pattern})"))


def _lines(text: str) -> list[str]:
    """Its lines, of which one that ends with a backslash goes on in the next."""
    whole = re.sub(r"\\\n\s*", "", text)
    return [line.strip() for line in whole.splitlines() if line.strip()]


def _plain_groups(pattern: str) -> str:
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern)


def _both_kana(found: re.Match[str]) -> str:
    kana = found[0].strip("[]")
    return f"[{kana}{''.join(chr(ord(c) + 0x60) for c in kana if 'ぁ' <= c <= 'ゖ')}]"


_ENGLISH = {
    " … ": r"\b.{0,24}\b",
    "DATA": "(phone|data|information|info|details|records?|account|address|email|name|profile)",
    "MAIL": r"(e?mail\w*|messag\w+|send\w*|contact\w*|writ\w+|spam\w*|newsletters?|bother\w*"
    r"|harass\w*|advert\w*|ads|promot\w*|subscri\w+|notif\w*|updates|offers|receiv\w*|hear\w*"
    r"|marketing)",
    "LISTS": r"(lists?|mail\w*|newsletter|subscri\w+|distribution)",
    # A few words between, none of which turns the meaning: "don't hesitate to contact me".
    "AFEW": r"((?!stop|unsub|cancel|miss|lose|opt|remov|hesitat|forget|fail)\w+\W+)",
}

# What people type for what is meant.
_SPELLINGS = (
    (_table("はいしん 背信(?!行為) 廃信 配伸 配進 配送(?=停止|解除)"), "配信"),
    (
        _table(
            r"""
            ていし(?!ょ|ゃ|ゅ) てい止 定止 低止 停し(?!て) 提止 亭止 停正 停上
            (?<=配信)(提示|定し|低し)
            """
        ),
        "停止",
    ),
    (_table("かいじょ 改除 解徐 解助"), "解除"),
    (_table("さくじょ 削徐 消除 削助"), "削除"),
    (_table("ふよう(?!い|じょう) 不用 不必要 無用"), "不要"),
    (_table("めーる メイル め一る めえる"), "メール"),
    (_table("すとっぷ"), "ストップ"),
    (_table("めるまが"), "メルマガ"),
    (_table("おく(?=ら[なんれず]|る[のな]|って[こき])"), "送"),
    (_table("たいかい(?=し(ます|たい|て)|希望|お願い|を希望)"), "退会"),
    (_table("こーゆー こうゆう"), "こういう"),
    (re.compile("もー(?!る)"), "もう"),
    (_table("けっこう"), "結構"),
    (re.compile("[🙅🚫❌⛔][🏻-🏿]?[♀♂]?"), "不要"),
    (re.compile(r"\bun[\s-]sub"), "unsub"),
    (re.compile(r"\bunsub\b"), "unsubscribe"),
    (re.compile(r"\b(?:stpo|sotp|stopp+)\b"), "stop"),
    (re.compile(r"\b(?:plz|pls)\b"), "please"),
    (re.compile(r"\bdont\b"), "don't"),
    (re.compile(r"\be[- ]mail"), "email"),
)

# --- objects: what is to stop, to go, to change ---------------------------------------------

# What a company that looks after empty houses is written to about.
_OTHER = _table(r"""
    水(?=を|が|の|漏) 雨漏り 水道 電気 ガス 工事 作業 運転 バス 電車 列車 家具 家電 荷物 警報
    アラーム ロック 契約 予約
    返信 返事 返送 電話 領収書? 請求書? 見積 解体 空き?家 物件 土地 住宅 建物 家屋 [古実生]家
    家(?!族) 車 不要品 ゴミ 粗大 参加 見学 査定 面談 訪問 立ち?会い? 保険 口座 カード ローン
    修[理繕] 屋根
    営業(所|日) 機械 設備 エアコン 給湯 駐車 書類 資料 プロジェクト イベント セミナーへの
    [昼夕朝]食 弁当 茶 菓子 土産 送迎 迎え 宿泊
    手続き?(は|が) 印鑑 押印 添付 税 年金 免許 資格 権利 権 差し?押さ?え 申告
""")
_ENTRY = _table("登録(?!内容|情報|者) 会員")
_LIST = _table(r"""
    リスト 名簿 (配信先|送信先|宛先|送り?先)(?=から|リスト) メルマガ マガジン
    ニュースレター 購読 配信 登録者
    list newsletter subscription
""")
# "情報提供" is what mail brings, unless personal data or a receiver is named.
_USE = _table("利用 使用 (?<!(?<!人)(?<!先への)情報)提供 共有 取り?扱い? 処理 活用")
_DATA = _table(r"""
    (?<!物件)(?<!セミナー)(?<!イベント)(?<!空き家)(?<!新着)情報
    データ アドレス メアド メルアド アド 氏名 名前 苗字 名字 姓 氏 番号 住所 連絡先 宛先
    送信先 送り?先 配信先 アカウント 記録 履歴 登録内容 プロフィール (私|僕|俺|自分|わたし)のこと
    個人 ふりがな 読み仮名 宛名 番地 生年月日 漢字 綴り data account address
""")
_MAIL = _table(r"""
    メール(?!アドレス|アド|で(?!す)|にて|番号) 配信 案内 お?知らせ 通知 ダイレクト dm 広告 宣伝 登録
    受信
    送信 送付 発信 送り?付け 営業 勧誘 売り?込み キャンペーン スパム メッセージ 便り ニュース
    お誘い
    アプローチ 情報提供 (物件|セミナー|イベント|空き家|新着)の?ご?(情報|紹介)
    (今後|以後|以降|もう|一切|二度と|これ以上)の?[ご御]?連絡
    (来る|送る|届く|送ってくる)の
    (こういう|この手の)(の|もの) news (?<![a-z])e?mail spam message
""")

# --- verbs ----------------------------------------------------------------------------------

_STOPS = _table(r"""
    停止 中止 休止 解除 解約 オフ(?!ィ|ライン|シーズン|サイト|レコ|ロ)
    (?<![a-z])off(?=\s*(に|で)) 打ち?切 拒否 お断り 断[りっ](?!なく|無く|も)
    (?<!ワン)(?<!ノン)ストップ (?<=[ァ-ヶー一-鿿])\s?stop
    (?<![a-z])stop(?=\s*(して|で(?!き)|を|お?願|希望))
    不要 (?<!て)(い|要)(らない|りません|らん(?!か|ぷ)|らね|らぬ|りまへん|らへん)
    必要と[はも]?(し|いたし|致し)て[いお]?(ない|ません|りません)
    必要[がはも性]*(ない|無い|ありません|ございません|なし)
    (いら|要ら|必要[でが]?)なくな(?!い) (来|こ|届か)なくな(ります|りません|る)
    やめ 止め 辞め(?!まし) (?<!ま)とめ(?!ど|ー) (?<!書き)[停留]め(?=て|ろ)
    (来|こ|届か)ない?(よう|様)に(?!な) (来|こ|届か)なくて?(し|も?(いい|良|よ|結構|大丈夫))
    受け?取(りたく(ない|ありません)|りません|らない) 受信(したく(ない|ありません)|しません|しない)
    (読み|見|欲し|ほし)た?く(ない|ありません|もない|ねえ)
    (希望|所望|望み)を?は?((いた|致)?し)?(ない|ません|ておりません|ていません|てない)
""")
_LEAVES = _table("退会 脱会 脱退 オプトアウト unsubscribe")
_SENDS_NOT = _table(r"""
    送(って|信して|付して)?[来こき]?[らし]?ない(で|よう|下|く) 送ら(ないと?|ず|なく|んと|ね)
    送(って|信して|付して)(いただか|頂か|もらわ|くれ)(な|んで|んと) お送りいただかなく くれなくて
    送(ら?ん|りません?)で[く下ほ欲よえい]
    送(る|って[来く]る|信する|付する|り?[付つ]ける)な(?!ら|の|ん|ど|り)
    送んな 送ってくんな 送りつけんな 送り[付つ]けないで (送|配信)[らし]?なくて くるな 来るな
    (送信|送付|配信|メール|連絡|案内|勧誘|営業|登録)[をはも]?し?(ない(で|よう|こと)|なくて|するな)
    (送信|送付|配信|メール|連絡|案内|勧誘|営業)[をは]?して([来こ]ない|[来く]る)(で|よう|な)
    (送信|メール|連絡|配信)せん(で|と[いっ]) よこす(な|の) ([寄よ]こ|寄越)さ(ない?|ね|ん)で
    送って[来こ]んと[いっ]
""")
# Of a visit as often as of mail.
_CANCELS = _table("キャンセル(?!待|料) 取り?消し? 取り?下げ 取りやめ")
_WEAK_STOPS = _table(r"""
    (?<!で)結構(?!な|前|い|多|大|長) 遠慮 外し はずし 抜い
    抜け(た[いく]|ます|させ)
    除外 除い(て|た) 勘弁 控え ブロック 受け?付けません 終了 終わり 打ち止め
    (?<=は|う)大丈夫です(?!か)
    もう(メール|配信|案内)?は?(いい|良い|ええ|よい|充分|十分)(?!で(す|しょう)か)
    [無な]し(?=で(?!す|も|は)|に(して|願|お)|を?希望) 辞退 おしまい
    見合わせ 除名 (最後|最終|終い|きり)に(?=して|した|お?願)
""")
_ENDS = _table("切って 切りたい 卒業 対象外")
_COMPLAINS = _table(r"""
    (?<!ご)(?<!御)迷惑(?!メール(フォルダ|ボックス|に(入|振|分|届|な)|の中)) しつこ うざ うるさ
    鬱陶 うっとうし
    多すぎ 多過ぎ (来|き|送り)(すぎ|過ぎ)
    多い 頻繁 頻度 減ら (興味|関心)[がはも]?(な|無|ありま|ござい|持て)
    不快 気持ち?悪 気味が?悪 目障り 邪魔 嫌 困って ゴミ箱 (?<!き)止ま(らない|りません|らん|[らりる])
""")
_DELETES = _table(r"""
    削除 消去 (?<!取り)(?<!取)消し(て|たい|とい) 消せ 消しちゃって けして(?!い) 抹消 破棄 廃棄
    消し去 デリート 残さ(ない|んと|ず)
    \b(delete|erase)\b(?=(\s(it|please|now))*\W*($|して|を|お?願|希望))
    \bremove\b(?=\s*(して|を|お?願))
""")
_CHANGES = _table(r"""
    訂正 修正 変更 変え[たまてる] 変わ(り(?!なく|ない)|った|って|る) 替わ(り|った) かわりました
    直し 差し?替え ちが[うい] 抜けて[いる] 誤字 まちが[っえい]
    間違って 間違え(て|た|まし) 誤って 更新 書き換え 改姓 違って 誤り
""")
_SHOWS = _table("開示 かいじ(?!ゅ)")
_USES_NOT = _table(r"""
    (使|利用|使用|提供|共有|活用|処理)[をは]?(わ|し|され|させ)?(ないで|なくて|ないよう|ないこと\
        |たくない)
    使うな
    (使う|渡す|売る|流す|(利用|使用|提供|共有)する)(の|こと)[をは]?(や|止|辞)め
    (利用|使用|提供|共有)するな
    (利用|使用|提供|共有|処理)[をは]?(すること)?[をは]?(禁|差し?止|拒)
    売らないで 渡さないで 漏らさないで 流さないで
""")

# --- phrases that need no object ------------------------------------------------------------

_SAYS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        _table(r"""
            (どんな|どのような|どういう?た?|何の|どの).{0,8}(情報|データ|個人).{0,24}(持|保\
                |登録|記録|預|知|把握|得|集|残)
            (私|自分|当方|僕|俺|わたし)(の|に関する|について)…(情報|データ|記録|こと|登録)…\
                (教え|知りた|見せ|見たい)
            (私|自分|当方|僕|俺|わたし)(の|に関する|について)…(情報|データ|記録|登録)…(確認し?\
                (たい|させ)|送って|提示|把握)
            (登録|保有|保存|保管|預|記録|取得)(内容|情報|データ|され|して|に?なって|かって).{0,20}(教え\
                |知りた|見せ|見たい|提示)
            (登録|保有|保存|保管|預|記録|取得)(内容|情報|データ|され|して|かって).{0,20}\
                (確認したい|確認させ)
            (個人情報|個人データ)(?!の?(取|保護))…(一覧|閲覧)
            データのコピー.{0,16}個人
            (記録|情報|データ)の(写し|コピー)を?.{0,6}(請求|求め|交付)
            (住所|氏名|名前|アドレス|情報|電話番号).{0,10}登録されてい?ますか
            利用目的(の|を)?(通知|教え|開示)
            (個人情報|個人データ)(?!の?(取|保護))…(教え|知りた|確認したい|見せ|見たい|コピー\
                |写し|何を)
            [何]を.{0,8}(保有|保管|預か|保存|登録し) 利用目的の通知 第三者提供記録
        """),
        "says_disclose",
    ),
    (_table("忘れられる権利"), "says_erase"),
    (
        _table(r"""
            (同意|承諾|許諾)(を|の|は|した(の|こと)[をは]?)?(撤回|取り?消|取り?下|やめ)
            (利用|使用|提供|取り?扱い?)[にはへも]{1,2}同意(し|でき|いたし|致し)(ません|ない|かね)
        """),
        "says_stop_use",
    ),
    (
        _table(r"""
            新(しい)?(メール)?(アドレス|メアド|住所)[はにへ:が] 機種変…アドレス
            結婚して.{0,6}(姓|苗字|名字) 旧姓のまま
            (宛名|氏名|名前|住所|漢字|苗字|名字|ふりがな|アドレス)が.{1,10}になってい(ます|る)
            (携帯(電話)?|スマホ|機種)を[かえ変替]え?.{0,24}(アドレス|メアド|こちらに)
        """),
        "says_correct",
    ),
    (
        _table(r"""
            (再開|再登録|再配信|復活)[をの]?(して[くほい下も]|した[いく]|お?願|希望|手続)
            また(メール|案内|配信)?[をも]?(送って|配信して)[くほい下も]
            (引き続き|今後も|これからも).{0,10}(送って[くいほ下]|配信(して|を?お願|を?希望)\
                |楽しみ|購読[しを]|受け取りたい)
            継続(を|して).{0,4}[願希く下]
            (停止|解除|退会)[をのは](解除|取り?消し|取り?下げ|撤回|キャンセル)
        """),
        "asks_to_resume",
    ),
)  # fmt: skip
_SAYS_EN: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        _phrases(r"""
            (what|which) … (data|information|info|details|records?)\b.{0,30}\b(have|hold|store\
                |keep|collect|know|got)
            what (do|have) you (know|hold|have|stored?|keep|got) … (about|on) me
            (copy|access|export|disclos\w*|provide|give|show|tell|send|see) … (my|personal\
                |about me) … (data|information|info|records?)
            (send|give|show|tell|provide|list)\b.{0,40}\b(data|information|info|everything) … \
                (hold|have|stored?|kept|keep) (about|on) me
            subject access
            dsar
            right of access
            (article|art\.?) ?15
        """),
        "says_disclose",
    ),
    (
        _phrases(r"""
            (delet|eras|purg|wip|destroy|remov|forget)\w* … (my|our|this|personal|all|any\
                |the) … DATA\b(?!.{0,20}\b(from|off|out of) … LISTS)
            my AFEW{0,2}(data|information|info|details|records?|account|address|email)\
                ( \w+){0,3} (deleted|erased|removed)
            (delete|erase|forget) (me|everything)\b(?!.{0,20}\b(from|off|out of) … LISTS)
            right to (be forgotten|erasure)
            (article|art\.?) ?17
        """),
        "says_erase",
    ),
    (
        _phrases(r"""
            (do not|don't|stop|cease|no longer|never|not|forbid you|prohibit)\b.{0,10}\b(us(e\
                |ing)|process\w*|shar(e|ing)|sell\w*|disclos\w+) … (data|information|info\
                |details|address|email|name)
            object to\b.{0,30}\b(process\w*|use|using|marketing|profiling)
            restrict\w* … processing
            (withdraw|revoke|retract)\w* … consent
            (do not|don't|no longer) consent
            (article|art\.?) ?(18|21)
        """),
        "says_stop_use",
    ),
    (
        _phrases(r"""
            (chang\w+|updat\w+|correct\w*|rectif\w+|amend\w*|fix|replac\w+|modify) … (my|our\
                |the|of) … DATA
            my (new )?(email|address|email address|(sur|last |first )?name|phone\
                |phone number)( \w+){0,2} (has|have|is now|changed|is (wrong|misspell?ed|incorrect))
            my new (email|address|email address) is
            (here is|this is|use|note) my (new|other|current) (email|address)
            i have a new (email|address)
            my new (sur|last |first )?name
            wrong (\w+ )?(email|address|name|number|spelling) … (on file|record|correct)
            (misspel\w+|spel\w+|got|have) my (\w+ )?name (\w+ )?wrong
            (article|art\.?) ?16
        """),
        "says_correct",
    ),
    (
        _phrases(r"""
            (?<!you )(resume|restart|resubscribe|re-subscribe|keep|continue) (\w+ )?(send\w*\
                |e?mail\w*\
                |the|my subscription|receiv\w*|subscri\w*)
            keep (them|it|me|us) (coming|on|subscribed)
            subscribe me (again|back)
        """),
        "asks_to_resume",
    ),
    (
        _phrases(r"""
            (stop(ped)?|cease|quit|end|halt|discontinue) (\w+ ){0,4}?MAIL
            enough (with|of) (\w+ ){0,2}?MAIL
            opt(ing|ed)?[ -]?((me|us) )?out
            (remov\w+|tak(e|ing|en)|get|drop|delet\w+|eras\w+|exclud\w+|strik\w+) (\S+ ){0,6}?\
                (from|off|out of)\b.{0,30}\bLISTS
            (remove|take|get) (me|us)( off)?\b(?! (to|a|the|in|some)\b)
            no (more|further|longer send\w*) (\w+ ){0,2}?MAIL
            off (this|the|your) (\w+ )?lists?
            be removed\W*$
            (do not|don't) want (this|it|these|any|more)\W*$
            no more\W*$
            (do not|don't|never|not to) AFEW{0,3}?(send|email|mail|contact|write|message|spam\
                |text)\b(?= (me|us|any|more|again|these|this|to|anymore|email|your|mail|so)\b\
                |\W*$)
            (do not|don't|no longer|not|didn't|did not) AFEW{0,2}?(want|wish|like|care|need\
                |interested)\b\W*AFEW{0,5}?MAIL
            cancel\w* AFEW{0,3}?(subscri\w+|newsletter|e?mails?|mailing|membership|registration)
        """),
        "says_stop",
    ),
    (
        re.compile(
            r"(?:^|,)\W*(?:(?:please|just|kindly|hi|hello|ok|make|and|now|you|must|can|could|would|will|want"
            r"|to|i|it) )*"
            r"(?:stop|cease|cancel|quit|remove)\b(?: (?:it|this|that|these|now|please|immediately"
            r"|at|once|all|asap|thanks|thank|you|everything|right|away|already|again))*\W*$"
        ),
        "says_stop_alone",
    ),
    (
        re.compile(r"^\W*(?:please |just )*stop (?!by\b|over\b|off\b|worrying)"),
        "stop_of_something",
    ),
)  # fmt: skip
# Not a request, and yet worth a look: who writes so may not want mail.
_HINTS = (
    _table(r"""
        (登録|申し?込|希望|購読|依頼|同意|承諾|許可|会員に|お願い)[をはんだ]*(した|し|なった\
            |しまし)?(つもり|覚え|記憶|こと)[がはも]?[な無あご]
        (登録|申し?込み?|購読|同意|承諾)(を|は|なんて|なんか)?(し|して[いお]?|んでい?)(ませ\
            |りませ|ない|なかった)
        (覚え|心当たり)[がのはも]?(な|無|あり(?!ま?す)|ござい)
        (なぜ|何故|なんで|何で|どうして|何の(権利|つもり))…(送|届|来|く|メール|配信|知っ|アドレス)
        (どこ|何処|どう)(で|から|やって)…(アドレス|メアド|メール|情報|連絡先|名簿).{0,12}(知\
            |入手|手に|得|仕入|調べ)
        (アドレス|メアド|メール|情報|連絡先).{0,8}(どこ|何処|どう)(で|から|やって).{0,8}(知\
            |入手|手に|得|仕入|調べ)
        勝手に.{0,8}(送|メール|登録|使) 通報 訴え(る|ます|て)
        (送った|送って[来き]た|送信した)ら 違法(?!建)
        (停止|解除|退会)…(届[いくき]|来る|来て|来ま|送られ) 特定電子メール法 特電法 迷惑行為
        スパム 詐欺
        フィッシング
        何[度回]も?(言|い)(った|え)[らば] いい?加減に
        死ね ふざけ[るん]な 失せろ 消えろ うせろ 人違い 別人 宛先[がを]?(違|間違|誤) 間違い?メール
        (本人|当人|宛|このアドレス|ご主人)…(亡くな|他界|死去|逝去|退職|退社)
        (いつまで|まだ|また).{0,12}(送って(?!くだ|下|い[たま]|ほ|も)|送られて|メールが\
            |届(い|く|き(?!ま?せ))|来て(?!い?(ませ|ない))|来ま(?!せ)|来た|来る|送る)
    """),
    _phrases(r"""
        not interested
        no,? thank
        (never|did not|didn't|haven't|have not) (\w+ ){0,2}(sign|subscrib|regist|consent|agree\
            |request|ask|opt)\w*
        why (am|do|did|are|is|was|have|has|does|would|the)\b.{0,20}(get|receiv|send|sent|mail\
            |writ|contact|address)\w*
        why (don't|do|won't|can't) (you|they) … stop
        (how|where) did you get
        who gave you
        i have no idea who
        do i know you
        (spam|scam|phishing|harass|fuck|annoying|deceased)\w*
        report (you|this)
        too many (e?mail|message)\w*
        wrong (person|address)
        leave me alone
        how (do|can|to|could) (i )?(stop|end|quit)
        (do not|don't|never) (read|open|look at) (these|them|those|your)
        not for me\W*$
        enough( already| is enough| now)?\W*$
        you (still )?keep (send|e?mail|contact|writ)\w*
        (already|after i|have) unsubscribed?
        (stop|cease|end) (\w+ ){0,2}(communicat|correspond)\w*
        cease and desist
        passed away
    """),
)  # fmt: skip

# --- mood -----------------------------------------------------------------------------------


class _Mood(Enum):
    ASKED = auto()
    DOUBTFUL = auto()  # a question, a report, a condition
    PAST = auto()  # done already, or said to be
    AGAINST = auto()
    NOT_SAID = auto()  # a notice of somebody's, or what happened by mistake


# In what follows a Japanese verb, without blanks. The first that fits decides.
_AFTER = tuple(
    (re.compile(f"^(?:{_table(words).pattern})"), mood)
    for words, mood in (
        # "止め方がわかりません"
        ("(方|かた)(?=[がをはわ教知も、?]|$)", _Mood.DOUBTFUL),
        # "止めて頂いて構いません", "停止で結構です"
        (r"""
            [をはも]?(し|させ)?て?(もらって|(いただ|頂)いて|で)?も?(構[いわ]|かま[いわ]|大丈夫\
                |結構|問題(な|あ))(?!.{0,8}(か$|[?]))
        """, _Mood.ASKED),
        # "ご希望の方はこちら": a notice
        (r"""
            [をの]?[ご御]?(希望|手続き?)?(の|され|する|は|ご)*る?(方(?!法)は?|お客様|かたは\
                |こちら)
        """, _Mood.NOT_SAID),
        ("[をの]?[ご御]?希望の?場合は.{0,20}(こちら|以下|url|返信|ご連絡)", _Mood.NOT_SAID),
        ("[をは]?(また)?(後で|あとで|後日)", _Mood.NOT_SAID),
        # "停止してほしいと言っています", "停止するように頼まれました"
        (r"""
            …と((言|申し|いって)(?!.{0,8}のに)|頼まれ|のこと) .{0,6}?ようにと?(頼|言)
        """, _Mood.DOUBTFUL),
        # "停止していただけませんか": a request, though it looks like a negated question
        (r"""
            [をはも]?(し|させ|いた|行|行っ|っ)?てもら(え|って|いた[いく](?!な))(?!.{0,4}わけ)
            [をはも]?(し|させ|行っ|っ)?て(いただ|頂)(け|くこと|きた[いく](?!な))(?!.{0,4}わけ)
            [をはも]?(し|させ|いた|行|行っ|っ)?て(くれ(?!なくて)|くださ|下さ|ちょう|頂戴)\
                (?!.{0,4}わけ)
            [をはも]?(し|させ|行っ|っ)?て(ほし|欲し)(い|かっ)(?!.{0,4}わけ)
            (いただ|頂)(け|きた[いく](?!な)) もら(え|って) くれま ください 下さい (ほし|欲し)い
            (を|って|は)?お?願い(でき|出来)ま
        """, _Mood.ASKED),
        # "停止してしまいました", "停止中", "停止線"
        (r"""
            [をは]?(し|押し?|クリックし|タップし)?(てしま|ちゃ(?!だめ|って([くほ]|下|いい|も)))
            中(?!止) 線 位置
            に?な(って(しま|い)|った(?!ら))
            されて(い(?!な|ま?せ)|しま)
        """, _Mood.NOT_SAID),
        # "停止しないと困ります", "停止しないのですか", "まだ停止されていません": it is wanted
        (r"""
            .{0,8}?ない(と|なら|場合|限り|のなら|ようなら|のは|ん?の?で?(す|しょう)?か|とは)
            .{0,8}?(なければ|なきゃ|ませんか)
            ([をはがもの]|手続き?|処理|対応)*(され|でき|出来|なって|てもらえ|てくれ|ており\
                |完了して)\
                (て?い?|てお)(ない|ません|ず)
            [をはがも]*して(もらえ|くれ)(ない|ません)
        """, _Mood.DOUBTFUL),
        (r"""
            の?(url|リンク|ページ|ボタン|フォーム|サイト|画面).{0,12}(開け|開か|でき|出来|押せ\
                |出[まな]|見つ|わか|分か|エラー)
        """, _Mood.DOUBTFUL),
        ("の?(方法|仕方|やり方|やりかた|手順)", _Mood.DOUBTFUL),
        # "停止しないで", as long as nothing between ends the thought
        (r"""
            ((?!です|ます|ください|下さい|お?願い(?!して|した|しま?せ)|頼|のに|ので|から|けど\
                |けれど|にもかかわらず\
            |たいで|、|・|メール|送).){0,12}?(ない|ません|なく|なかった|ねえ|ずに|せず\
                |んで[く下ほ]|不要|困[りる]\
            |は(い|要)ら|も(?!う)(い|要)ら|(は|を|も|なんて)(や|止)め|取り?消|取り?下げ|撤回\
                |だめ|駄目|いけ|待って|保留\
            |間違|誤り|以外|の解除|を解除|[する]るな(?!ら|の|ん|り|ど)|(は|も)(結構|無用|反対))
        """, _Mood.AGAINST),
        ("…(わけ(で|じゃ)|つもり(で|は|じゃ)|とは(言|い|思))", _Mood.AGAINST),
        # "停止したのにまだ届きます"
        (r"""
            …(のに|にもかかわらず|はず)
            .{0,16}た(が|けど|けれど)、?(まだ|また|未だ|いまだ|相変わらず)
        """, _Mood.ASKED),
        (r"""
            .{0,10}?(でき[まるな]|出来[まるな]|可能|[にし]たら(い|よ|良|ど)|について|に関|どう\
                |いつ|教え|べきで)
        """, _Mood.DOUBTFUL),
        (r"""
            …(か[?]|か$|かね|かな|かも|[?]|と(いう|聞|書|記|あ[りっる]|表示|返信|思わ|伝|の事\
                |いわ)|って(言|書|い[うわ]))
        """, _Mood.DOUBTFUL),
        (".{0,8}?(場合|際|とき|時|なら(?!な)|たら|れば|(する|した|の)後|であれ)", _Mood.DOUBTFUL),
        (r"""
            [をはの]?(手続き?|登録|依頼|処理)?[をは]?(し|いたし|致し|され|めまし|めて?い|行い)?\
                (まし)?た(?!い|ら|く|のに|ので)
            (し|され)て[いお]?(る|ます|り) [がは]?され[まるた]
        """, _Mood.PAST),
    )
)  # fmt: skip
_WHY = _table("なぜ 何故 なんで どうして いつまで")
# In what stands before an English phrase.
_BEFORE = tuple(
    (re.compile("".join(_lines(words))), mood)
    for words, mood in (
        (
            r"\b(?:appreciate it|grateful|glad|nice|great|appreciated) if you\b[^.]{0,20}$",
            _Mood.ASKED,
        ),
        (
            r"""
            \b(?:if (?:i|you|this|the|they)|unless|until|why|still|can't|cannot|couldn't\
                |unable to\
            |tried to|trying to)\b[^,.]{0,40}$
            """,
            _Mood.DOUBTFUL,
        ),
        (
            r"""
            \b(?:how (?:do|can|to|could|would)|can i|could i|may i|is it possible|is there|where\
            |when|what|should i|do i|did (?:i|you)|am i|have you)\b[^.]{0,50}$
            """,
            _Mood.DOUBTFUL,
        ),
        (
            r"(?<!\bi )\b(?:says?|said|told|wrote|asked|asks|about|link|button|who)\b[^.]{0,24}$",
            _Mood.DOUBTFUL,
        ),
        (
            r"""
            \b(?:don't|do not|didn't|did not|never|not|without|no need|rather than|instead of\
                |won't\
            |wouldn't|no intention)\b(?: \w+){0,4} ?$
            """,
            _Mood.AGAINST,
        ),
        (r"\b(?:can|could|would|will) you\b[^.]*$", _Mood.ASKED),
        (r"\b(?:accidentally|by mistake)\b", _Mood.NOT_SAID),
    )
)
_AFTER_EN = (
    (re.compile(r"^(?: by (?:mistake|accident)| accidentally| at any time)\b"), _Mood.NOT_SAID),
    (re.compile(r"^ (?:link|button|page)\b"), _Mood.DOUBTFUL),
)


def _mood(before: str, after: str) -> _Mood:
    """How the verb between the two is meant."""
    ends = re.sub(r"^([はをも」』\"]|って)*[、,]", r"\1", re.sub(r"\s", "", after[:80]))
    signs = ((_AFTER_EN, after), (_BEFORE, before), (_AFTER, ends))
    mood = next(
        (mood for table, text in signs for pattern, mood in table if pattern.search(text)),
        _Mood.ASKED,
    )
    if mood is _Mood.AGAINST and _WHY.search(before):
        return _Mood.DOUBTFUL  # "why do you not stop": nobody's wish to go on
    return mood


# --- object ---------------------------------------------------------------------------------


class _Object(Enum):
    OTHER = auto()
    ENTRY = auto()
    LIST = auto()
    USE = auto()
    DATA = auto()
    MAIL = auto()
    UNKNOWN = auto()  # something that stands in no table
    ALONE = auto()  # nothing is named


# Where two end at the same letter, the earlier counts.
_OBJECTS = (
    (_Object.OTHER, _OTHER),
    (_Object.ENTRY, _ENTRY),
    (_Object.LIST, _LIST),
    (_Object.USE, _USE),
    (_Object.DATA, _DATA),
    (_Object.MAIL, _MAIL),
)
_FILLERS = re.compile(
    "(?:(?:はい|ハイ|もう|結構|ええ|一時|毎[日朝晩週月回]|連日|今後|以後|以降|今日|本日|一切|二度と|全て|すべて|全部|今すぐ|すぐ|直ちに|ただちに|至急"
    "|早急|即刻|即時|即|早く|はやく|とっとと|さっさと|いい加減|本当に?|マジで?|まじで?|どうか|ぜひ|是非"
    "|先月|先週|先日|今月|昨日|前回|以前|前に|既に|すでに|何度も?|何回も?|再三|勝手|とりあえず|一旦|いったん|そろそろ|これ以上|これ|それ|あれ|私|わたし|僕|俺|当方|自分|弊社|当社|うち"
    "|特に|さらに|また|絶対に?|必ず|永久|永遠|速やか|すみやか|なるべく|次回から?|次から|明日から|お?早め"
    "|完全|正直|全く|まったく|ごめん(?:なさい)?|悪いけど|ちょっと|でも|だから|ですから|ので"
    "|(?<=[すだいたえ])(?:から|けど|が)|です|ます|please|just|to)(?:は|に|も|の|、)*)+$"
)
_PARTICLE = re.compile(
    "(?:(?<!て)(?:は|も|から)|を|が|の|(?<!や)って|なんか|なんて|など|等|とか|に|へ|より)$"
)
_BREAK = re.compile(r"[\s、,・:()「」『』\"/]")
_NOUN = re.compile(r"[一-鿿々〆ヶァ-ヺー]+$|[a-z]+$")
_FROM_LIST = re.compile(
    "(リスト|名簿|配信|対象|宛先|[信り]先).*から(?!.*(個人|情報|データ))"
)  # and what is taken from it
_SENDING, _RECEIVER = (
    "送配よ寄",
    re.compile("(携帯|スマホ|ケータイ|パソコン|ここ|こちら|こっち|会社|職場)[にへ]は?も?$"),
)
_ADJECTIVE = _table("(不要|い|迷惑)$")
_ADNOMINAL = re.compile(
    "^な?(?!願|希望|旨|由|今|至急|以上|連絡|宜|何|全|本)([一-鿿々ヶァ-ヺー]+|もの|ところ)"
)
# "配信停止は不要", "停止する必要はない": what is not needed is the stop.
_ACTS = _table(r"""
    (停止|解除|退会|解約|中止|取消|unsubscribe|オプトアウト)(の?(手続き?|処理|対応))?(を?する\
        |しなくても?|しないで)?$
""")  # fmt: skip


def _object(before: str, verb: str, after: str) -> _Object:
    """What the verb between ``before`` and ``after`` is done to: the nearest thing named."""
    if _ADJECTIVE.search(verb) and (noun := _ADNOMINAL.search(after)):
        return _nearest(noun[1]) or _Object.OTHER  # "不要な家具", "いらないメール"
    clause = _FILLERS.sub("", _BREAK.split(before)[-1])
    inside = _nearest(clause)
    if inside is _Object.USE and _OTHER.search(clause) and not _DATA.search(clause):
        return _Object.OTHER  # "水道の使用"
    if inside is _Object.DATA and _FROM_LIST.search(clause):
        return _Object.LIST
    if not inside and verb[0] in _SENDING and _RECEIVER.search(clause):
        return _Object.MAIL
    if inside or _PARTICLE.search(clause) or _NOUN.search(clause):
        return inside or _Object.UNKNOWN
    outside = _nearest(before)
    return _Object.UNKNOWN if outside is _Object.OTHER else outside or _Object.ALONE


def _nearest(text: str) -> _Object | None:
    ends = [
        (match.end(), -rank)
        for rank, (_, pattern) in enumerate(_OBJECTS)
        for match in pattern.finditer(text)
    ]
    return _OBJECTS[-max(ends)[1]][0] if ends else None


_ON_MAIL = (_Object.MAIL, _Object.LIST, _Object.ENTRY)
_ON_DATA = (_Object.DATA, _Object.USE, _Object.ENTRY)
_STOP_MEANS = {
    **dict.fromkeys(_ON_MAIL, "says_stop"),
    **dict.fromkeys((_Object.DATA, _Object.UNKNOWN), "stop_of_something"),
    _Object.USE: "says_stop_use",
    _Object.ALONE: "says_stop_alone",
}
# Each verb and what it means on each object; nothing, on what is left out.
_VERBS: tuple[tuple[re.Pattern[str], Mapping[_Object, str]], ...] = (
    (_STOPS, _STOP_MEANS),
    (_LEAVES, {**_STOP_MEANS, _Object.ALONE: "says_stop"}),
    (_SENDS_NOT, {**_STOP_MEANS, _Object.ALONE: "says_stop", _Object.DATA: "says_stop"}),
    (
        _CANCELS,
        {
            **dict.fromkeys(_ON_MAIL, "says_stop"),
            _Object.DATA: "stop_of_something",
            _Object.ALONE: "cancels",
        },
    ),
    (
        _WEAK_STOPS,
        {
            **dict.fromkeys(_ON_MAIL, "says_stop"),
            _Object.DATA: "stop_of_something",
            _Object.ALONE: "may_mean_stop",
        },
    ),
    (_ENDS, dict.fromkeys(_ON_MAIL, "says_stop")),
    (_COMPLAINS, dict.fromkeys((*_ON_MAIL, _Object.ALONE), "may_mean_stop")),
    (
        _DELETES,
        {
            **dict.fromkeys((_Object.DATA, _Object.USE), "says_erase"),
            **dict.fromkeys((_Object.ENTRY, _Object.ALONE), "says_erase_alone"),
            **dict.fromkeys((_Object.MAIL, _Object.UNKNOWN), "stop_of_something"),
            _Object.LIST: "says_stop",
        },
    ),
    (_CHANGES, dict.fromkeys((_Object.DATA, _Object.ENTRY), "says_correct")),
    (_SHOWS, dict.fromkeys((*_ON_DATA, _Object.ALONE), "says_disclose")),
    (
        _USES_NOT,
        {
            **dict.fromkeys((*_ON_DATA, *_ON_MAIL), "says_stop_use"),
            _Object.ALONE: "stop_of_something",
        },
    ),
)


# --- one sentence ---------------------------------------------------------------------------

_SHORT, _LONG = 80, 400  # letters
_VISIT = _table("セミナー 予約 見学 内[覧見] 説明会 面談 相談会 参加 申し?込 来場 訪問 出席 伺")
_ENOUGH = 50  # times that one thing is said in one sentence


def _reasons(sentences: list[str]) -> set[str]:
    return {code for place in range(len(sentences)) for code in _read(place, sentences)}


def _read(place: int, sentences: list[str]) -> Iterator[str]:
    """The codes of what one sentence says, in the light of the others."""
    said = sentences[place]
    for pattern, reason in _SAYS:
        for match in islice(pattern.finditer(said), _ENOUGH):
            against = _mood_of(said, match) is _Mood.AGAINST
            yield from _meant(reason, _Mood.AGAINST if against else _Mood.ASKED)
    for pattern, reason in _SAYS_EN:
        for match in islice(pattern.finditer(said), _ENOUGH):
            yield from _meant(_in_context(reason, place, sentences), _mood_of(said, match))
    for pattern, means in _VERBS:
        for match in islice(pattern.finditer(said), _ENOUGH):
            before = _before(said, match)
            mood = _mood_of(said, match)
            if _ACTS.search(_PARTICLE.sub("", _FILLERS.sub("", before))):
                mood = _Mood.AGAINST
            reason = means.get(_object(before, match[0], said[match.end() :][:80]), "")
            if reason:
                yield from _meant(_in_context(reason, place, sentences), mood)
    if any(hint.search(said) for hint in _HINTS):
        yield "may_mean_stop"


def _unwilling(sentences: list[str]) -> bool:
    """A short mail that names mail and says no to something, or names the list and is not glad."""
    text = "\n".join(sentences)
    if len(text) > _SHORT or _REFUSES.search(text):
        return len(text) <= _SHORT
    no = _NAMES_MAIL.search(text) and _NO.search(_CANNOT.sub("", text))
    return bool(no or (_NAMES_LIST.search(text) and not _GLAD.search(text)))


_REFUSALS = _table("no+ nope nah ng しない の+ 無理 むり きも い?や だめ 駄目 嫌 やだ ×")
_REFUSES = re.compile(rf"^\W*(?:{_REFUSALS.pattern})(?:です|だ|い)?\W*$")
_NAMES_MAIL = _table(r"""
    メール(?!アド|で|にて|番号|を?(し|送り|いたし|致し)ま) メルマガ 配信 登録(?!する|した)
    お?知らせ ご?案内
    連絡(?!先|を?(ください|下さい|お?待ち|お願い))
    \b(e?mails|mailing|newsletters?)\b
""")
_NAMES_LIST = _table(r"メルマガ 配信 購読 \b(mailing|newsletters?|subscription)\b")
_GLAD = _table(r"""
    楽し 面白 おもしろ [良よ]かった ありがと 感謝 参考
    助か 嬉し うれし 好き いつも 続
    再開 登録 申し?込 始め 届 また 友
    読[みん] 記事 リンク こちら [か?]$
    \b(love|thank|enjoy|like|look\w* forward|great|nice|again|sign|subscribe|read|join)\w*
""")
_NO = _table(r"""
    (今後|以後|以降)(?!も|と?も?よろ|と?も?宜)
    もう(?!一|1|少|ひと|すぐ|まもな) 二度と 一切 金輪際 これ以上
    ない(?!か) (?<!す)ません(?!か) [無な]し [無な]く ねえ へん(?!し) んでええ んといて んで[くい]
    拒 断 嫌 いや 困 迷惑(?!メール) 控 遠慮 無理 勘弁 うんざり 疲れ 飽き
    十分 亡くな 他界 逝去 入院 お?休み(して|に) 減ら
    \b(no|not|don't|stop|any\s?more|never|enough|end|without|off|tired|sick)\b
""")
# What cannot be done, has not come or is not known is no unwillingness.
_CANNOT = _table(r"""
    (届|来|見え|見れ|開|読め|でき|出来|わか|分か|取れ|あり|いただ|頂|もら|くれ|きてい?|き(?=ませ)|つか|間に合|入って|繋が\
        |つなが|(?<=て)い|申し?訳|すみ|間違い|問題|行け|行か|[えけせてねべめれ]).{0,3}\
        (ない|ません|なく|なかっ|ず|なし)
    (連絡|返事|返信|知らせ|案内|メール)[がは]まだ?[な無]
    (しか|かも|のでは|じゃ|では)(ない|ありません|しれ).{0,3} 断り(して|し)おき だけでなく 少なく
    \b(do not|don't|not|never|no) (want to )?(miss|lose|see|get|receiv\w+|find|know|have|sure\
        |open\w*|work\w*|problem|worries|idea|doubt)
""")


def _before(said: str, match: re.Match[str]) -> str:
    return said[max(0, match.start() - 120) : match.start()]


def _mood_of(said: str, match: re.Match[str]) -> _Mood:
    return _mood(_before(said, match), said[match.end() :])


def _in_context(reason: str, place: int, sentences: list[str]) -> str:
    """A stop deep in a long text, or beside much else and naming nothing, is looked at."""
    if reason == "cancels":
        return "nothing_recognised" if any(map(_VISIT.search, sentences)) else "may_mean_stop"
    length = sum(map(len, sentences))
    deep = 3 <= place < len(sentences) - 3 and length > _LONG
    if (reason == "says_stop" and deep) or (reason == "says_stop_alone" and length > _SHORT):
        return "stop_deep_in_text"
    return reason


def _meant(reason: str, mood: _Mood) -> Iterator[str]:
    """What remains of a reason in a mood, if anything."""
    if mood is _Mood.ASKED:
        yield reason
    elif mood is _Mood.AGAINST:
        if reason in _ABOUT_STOPPING:
            yield "says_do_not_stop"
    elif mood is not _Mood.NOT_SAID:
        instead = _IN_DOUBT.get(reason, reason)
        if instead and not (mood is _Mood.PAST and instead == "may_mean_erase"):
            yield instead


_ABOUT_STOPPING = {"says_stop", "says_stop_alone", "stop_of_something", "stop_deep_in_text"}
# What becomes of a reason in a question, a report, a condition or the past.
_IN_DOUBT = {
    "says_stop": "stop_not_certain",
    "says_stop_alone": "stop_not_certain",
    "says_stop_use": "stop_not_certain",
    "says_erase": "may_mean_erase",
    "says_erase_alone": "may_mean_erase",
    "stop_of_something": "",  # "申し込みは不要ですか"
}


# --- the text before it is read -------------------------------------------------------------

_MOST = 20_000  # a longer text is read at its two ends
_HIDDEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_LINKS = re.compile(r"<?(?:https?://|mailto:)[^\s>]+>?|[\w.+-]{1,64}@[\w.-]+")
_NOTICES = re.compile(
    "|".join(
        r"[\s>]*".join(map(re.escape, re.sub(r"\s", "", _folded)))
        for _notice in PUBLISHED
        if _notice.text_id is TextId.UNSUBSCRIBE_NOTICE
        for _folded in (
            unicodedata.normalize("NFKC", text).casefold() for text in (_notice.ja, _notice.en)
        )
    )
)
# What surrounds the notice in our mails, and what mail programs and lawyers add to any mail.
_BOILERPLATE = re.compile(
    "|".join(
        _lines(r"""
            配信停止の手続きへ
            (?:配信停止|unsubscribe)\s*:?\s*(?=<?https?://)
            unsubscribe(?=[\s\[<(]*(?:https?://\S+)?[\s>\])]*reply to\s*:)
            \b(?:click|tap|use|follow|visit|go) [^.!?\n]{0,40}\bto (?:unsubscribe|opt[ -]out\
                |stop receiving)[^.!?\n]*
            \bto (?:unsubscribe|opt[ -]out|stop receiving)[^.!?\n]{0,60},[^.!?\n]{0,60}\b\
                (?:click|tap|use|follow|visit|reply|go)\b[^.!?\n]*
            \bif you (?:no longer |do not |don't )?(?:wish|want|would like\
                |prefer) [^.!?\n]{0,80}\b(?:click|tap|use|follow|visit|reply|go\
                |contact)\b[^.!?\n]*
            \bif you are not the [^.!?]{0,40}recipient[^.!?]*[.!?]?[^.!?]{0,80}(?:delete\
                |destroy|disclos)[^.!?]*
            \b(?:received|sent to you) (?:this|it) [^.!?\n]{0,20}(?:in error\
                |by mistake)[^.!?]*[.!?]?[^.!?]{0,80}(?:delete|destroy|disclos)[^.!?]*
            (?:誤って(?:受信|受け取|お受け取|送信)|(?:お?心当たり|身に覚え)のない(?:場合\
                |方))[^。]*。?[^。]{0,40}(?:削除|破棄)[^。]*
            (?:この|その|本|当|先ほどの|先程の|さっきの|前の|前回の)(?:電子)?メール(?:は|を\
                |については)?[^。.!?\n]{0,12}(?:削除|破棄|消)[^。\n]*
            \b(?:delete|disregard|ignore) (?:this|that|the|my (?:last|previous)) (?:email\
                |message)\b
            \b(?:this|that|the|my (?:last|previous)) (?:email\
                |message)[^.!?\n]{0,12}\bdelete[^.!?\n]*
        """)
    )
)
# Said to be polite, and full of "not", "trouble" and "please".
_COURTESY = re.compile(
    "|".join(
        _lines(r"""
            (?:いつも|大変|平素は?|日頃より)?お世話に(?:なって(?:い|お)?ります|なります)
            (?:ご|御)?迷惑を?お?(?:掛|か)け[^。、\n]{0,16}
            お手数[^。、\n]{0,12}(?:が|けど|ますが)
            申し訳(?:が|も)?(?:ござい|あり)ません(?:が|でした)?|申し訳ない(?:です)?(?:が|けど)
            すみませんが?|すいませんが?|恐れ入りますが|恐縮ですが
            突然[^。、\n]{0,12}(?:失礼|すみません)[^。、\n]{0,8}
            こんにちは|こんばんは|おはよう(?:ございます)?|はじめまして|初めまして
            (?:どうぞ|何卒|なにとぞ|以上)?[、,]?\s?(?:よろしく|宜しく)(?:お?願い?(?:致|いた)?し\
                (?:ま|申し上げま)す|です)?
            (?:メール|ご連絡|お知らせ|ご案内|配信)?[をは]?(?:いつも)?(?:どうも|誠に)?\
                (?:ありがと|有難|有り難)う?(?:ござい(?:ます|ました))?
            せっかく[^。、\n]{0,14}(?:ですが|けど)
        """)
    )
)
_SPACED_OUT = re.compile(r"(?<!\w)(?:[ぁ-んァ-ヶ一-鿿][ \t]+){2,}[ぁ-んァ-ヶ一-鿿](?!\w)")
_WRAPPED = re.compile(
    r"(?<=[をがはのもにでと、])[ \t]*\n[ \t]*(?=\S)|\n(?=(?:を|が|し[なまてた]|せず|さ[れせ]))"
)
_BREAKS = re.compile(r"(?<=[ぁ-んァ-ヶー一-鿿])[ \t]*\n[ \t]*(?=[ぁ-んァ-ヶー一-鿿])")
# A line that begins so goes on with a word of the line before: mail programs break anywhere.
_GOES_ON = re.compile(
    r"(?<=[ぁ-んァ-ヶー一-鿿])[ \t]*\n[ \t]*(?="
    r"[ぁぃぅぇぉっゃゅょゎんァィゥェォッャュョー]|[らりるれ]|ない[でよで]|な[いく](?:て|$|[。!])|い(?:で|ます|ません|よう|たし)"
    r"|めて|ありません|て(?:くだ|下|ほ|欲|もら|いただ|頂)|で(?:くだ|下|ほ|欲)|くだ|ださ|さい|まし?[すた]|ませ|せん|す(?:[。!が]|ので|$)|します"
    r"|たい(?:です|$|[。!])|たし|いし|がい|ので|願い"
    r"|は(?!い|じ|や)|わけ|いわけ|つもり|もり|けで|させ|さ[れせ]|ろ|き(?:ます|たい)|望|品)",
    re.MULTILINE,
)
_VITAL = re.compile(
    "|".join(
        r"[ \t]*\n[ \t]*".join(pair)
        for word in _lines("""
            配信停止\n中止\n解除\n解約\n退会\n登録\n削除\n消去\n開示\n訂正\n変更\n利用\n使用
            個人情報\n不要\n案内\n連絡\n送信\n送付\n受信\n希望\n拒否\n迷惑\n今後\n名簿\n購読
            メール\nメルマガ\nアドレス\nリスト\nデータ\n送ら\n止め\n願い\n結構\n必要
        """)
        for pair in pairwise(word)
    )
)
_LINE_OF_ENGLISH = re.compile(
    r"(?<=[^\n]{30})(?<=[A-Za-z,'])[ \t]*\n(?=[a-z])"
    r"|(?<=\b(?:me|my|to|of|or|an|be|us))[ \t]*\n(?=[a-z])"
    r"|(?<=\b(?:the|any|off|our|and|not|for|you))[ \t]*\n(?=[a-z])"
    r"|(?<=\b(?:your|from|this|more|stop|that))[ \t]*\n(?=[a-z])"
)
_REPLY = re.compile(r"(?:re|fwd?|aw|wg|返信|転送|回复)\s*(?:\[\d+\])?\s*:")


def _plain(text: str) -> str:
    """One spelling for what can be typed in many; without links, notices and courtesies."""
    if len(text) > _MOST:
        text = f"{text[: _MOST // 2]}\n{text[-_MOST // 2 :]}"
    text = _HIDDEN.sub("", unicodedata.normalize("NFKC", text))
    text = text.replace("’", "'").replace("‘", "'").replace("\r\n", "\n").replace("\r", "\n")
    text = _joined(text).casefold().translate(_LARGE)
    text = re.sub(r"(?<=[ぁ-んァ-ヶ])[-‐-―−─](?=[ぁ-んァ-ヶ])", "ー", text)
    text = re.sub(r"^[ \t]*>.*$", "", _NOTICES.sub("", text), flags=re.MULTILINE)
    text = _LINKS.sub("", _BOILERPLATE.sub("", text))
    text = _SPACED_OUT.sub(lambda spaced: re.sub(r"\s", "", spaced[0]), text)
    for wrong, right in _SPELLINGS:
        text = wrong.sub(right, text)
    text = re.sub("(?<=[ぁ-ん])[ー~]+(?=[ぁ-ん]|$|[。!])", "", text)
    return _COURTESY.sub("、", re.sub(r"\bun[a-z]{6,12}\b", _unsubscribe, text))


_LARGE = str.maketrans("ぁぃぅぇぉ", "あいうえお")  # "いらなぃ"


def _joined(text: str) -> str:
    """Words that a mail program broke into two lines, whole again."""
    text = _VITAL.sub(lambda broken: re.sub(r"\s", "", broken[0]), text)
    return _LINE_OF_ENGLISH.sub(" ", _GOES_ON.sub("", text))


def _unsubscribe(word: re.Match[str]) -> str:
    """The word itself for "unsuscribe", "unsubcribe", "unsubsribed": near enough."""
    near = difflib.get_close_matches(word[0], ["unsubscribe"], cutoff=0.84)
    return near[0] if near else word[0]


def _own_subject(subject: str) -> str:
    """What was written before "Re:", if anything: the rest is the subject of our own mail."""
    return _REPLY.split(subject, maxsplit=1)[0]


def _sentences(text: str) -> list[str]:
    """The text cut where a thought ends; a question keeps its mark."""
    parts = re.split(r"(?<=[?])|[。!…;\n]|\.(?!\w)", _WRAPPED.sub("", text))
    return [part.strip(" \t、,") for part in parts if re.search(r"\w", part)]


_GDPR = re.compile(
    r"(?<![a-z])(?:gdpr|ds-?gvo|rgpd)(?![a-z])|一般データ保護規則|2016/679"
    r"|general\s+data\s+protection\s+regulation|datenschutz-?grundverordnung"
    r"|r[eè]glement g[eé]n[eé]ral sur la protection des donn[eé]es"
)
