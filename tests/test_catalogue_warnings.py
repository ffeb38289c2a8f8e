"""Every warning that keeps an administrator from harm stands where it matters, in each language.

What goes wrong without them: one download invalidates a token that worked, a created certificate
cuts off every device, a deleted token takes apps and licenses with it.
"""

import re
from typing import NamedTuple

import pytest

from apple_tokens.model import ApplePortal, Cloud, FailureReason, Problem, TokenKind
from notify.remediation import Advice, Catalogue, Entry, Language, load

ADE_RENEWED = ("ade_token_expired", "ade_token_expiring", "row_1")
ADE_FAILING = ("ade_sync_failed", "ade_sync_stale", "row_2")
VPP_RENEWED = ("vpp_token_expired", "vpp_token_expiring", "vpp_token_invalid")
VPP_FAILING = ("vpp_sync_failed", "vpp_sync_stale")
PUSH_RENEWED = (
    "push_certificate_expired",
    "push_certificate_expiring",
    "push_certificate_upload_failed",
    "push_certificate_missing",
)
REPLACED = "push_certificate_replaced"


class Warned(NamedTuple):
    """Where a warning must stand, and how it is recognized in each language."""

    entries: tuple[str, ...]
    english: str
    japanese: str


WARNINGS = {
    "two people at once undo each other: say in the thread who does it": Warned(
        (*ADE_RENEWED, *VPP_RENEWED, *PUSH_RENEWED, REPLACED),
        "^Reply in this thread that you are doing it. Two people",
        "^自分が対応することを、このスレッドに返信して知らせます。2 人が同時に",
    ),
    "who renews after a failed sync is said in the thread": Warned(
        (*ADE_FAILING, *VPP_FAILING, "vpp_token_in_other_mdm", "vpp_token_duplicate_location"),
        "in this thread who",
        "誰が.*このスレッドで知らせ",
    ),
    "a download from the wrong server invalidates that server's token": Warned(
        (*ADE_RENEWED, *ADE_FAILING),
        "one serial number .*download from a wrong server invalidates",
        "シリアル番号を 1 つ.*別のサーバのトークンをダウンロードすると.*使えなくなります",
    ),
    "Download Token invalidates the token in use": Warned(
        (*ADE_RENEWED, *ADE_FAILING),
        "Download Token” .*once.* invalidates the token in use",
        "1 回だけ選択します.*使用中のトークンは無効になります",
    ),
    "what was downloaded is uploaded straight away": Warned(
        (*ADE_RENEWED, *ADE_FAILING), "upload the file straight away", "すぐに Intune"
    ),
    "a failing sync: ask first whether somebody selected Download Token": Warned(
        ADE_FAILING,
        "^Ask in this thread first: has somebody selected “Download Token”",
        "^最初に、このスレッドで次のことを尋ねます。.*「トークンをダウンロード」",
    ),
    "a VPP token is edited, never created again": Warned(
        (*VPP_RENEWED, *VPP_FAILING),
        "“Edit” – never “Create”",
        "「作成」は、.*選択しないでください",
    ),
    "tell VPP tokens apart by location and country": Warned(
        VPP_RENEWED, "by location and country, not by name", "名前ではなく場所と国で"
    ),
    "look again before renewing a VPP token a second time": Warned(
        VPP_RENEWED, "before you renew a second time", "もう一度更新する前に"
    ),
    "a push certificate is renewed, never created or revoked": Warned(
        PUSH_RENEWED,
        "“Renew” for that certificate, never “Create a Certificate” and never “Revoke”",
        "「Create a Certificate」(.*)と「Revoke」(.*)は選択しないでください",
    ),
    "the UID is compared with the topic, another one means: stop": Warned(
        PUSH_RENEWED,
        "UID is the topic on this card.*stop and create nothing",
        "UID がこのカードのトピックと同じ.*何も作成しないでください",
    ),
    "the topic stays the same": Warned(
        PUSH_RENEWED, "topic must stay the same", "トピックが変わっていないこと"
    ),
    "the browser's translation is switched off": Warned(
        (*PUSH_RENEWED, REPLACED), "Switch off the browser's translation", "翻訳機能をオフ"
    ),
    "the Apple account in Intune is only a note": Warned(
        ("push_certificate_expired", "push_certificate_expiring"),
        "noted in Intune. That note was typed .* may be out of date",
        "入力されたメモで、古くなっていることがあります",
    ),
    "Apple can move a certificate, which takes time": Warned(
        ("push_certificate_expired", "push_certificate_expiring", REPLACED),
        "ask Apple to move the certificate .*10 business days",
        "別のアカウントに移すよう Apple に依頼します.*10 営業日",
    ),
    "no re-enrollment within 30 days, but nothing reaches the devices now": Warned(
        ("push_certificate_expired",),
        "cannot reach any Apple device now.*within 30 days .* no re-enrollment",
        "現在、.*どの Apple デバイスとも通信できません.*30 日以内.*再登録は不要",
    ),
    "after 30 days: try to renew all the same, and ask Apple": Warned(
        ("push_certificate_expired",),
        "more than 30 days .* try “Renew” all the same.*before Apple says",
        "30 日を過ぎていても、まず「Renew」.*Apple が回答するまで",
    ),
    "no wiping and no re-enrolling while the certificate can come back": Warned(
        ("push_certificate_expired", "push_certificate_missing", REPLACED),
        "Do not wipe or re-enroll devices",
        "デバイスのワイプや再登録は",
    ),
    "a replaced certificate: renew the one with the old topic": Warned(
        (REPLACED,),
        "UID is the old topic.*“Renew” that certificate, never “Create a Certificate”",
        "UID が元のトピックと同じ.*「Renew」(.*)「Create a Certificate」(.*)は選択しないでください",
    ),
    "that Intune takes the old topic back is not verified": Warned(
        (REPLACED,), "not verified for Intune", "Intune では未確認"
    ),
    "deleting a duplicate token deletes its apps": Warned(
        ("vpp_token_duplicate_location",),
        "Remove nothing yet: .* deletes its apps and assignments and revokes licenses",
        "まだ何も削除しないでください。.*アプリと割り当ても削除され、ライセンスが取り消され",
    ),
    "only an unused duplicate goes": Warned(
        ("vpp_token_duplicate_location",),
        "only a token without apps and assignments.*ask Microsoft Intune support first",
        "アプリも割り当てもないトークンだけ.*先に Microsoft Intune サポート",
    ),
    "who uses the location is found out before control is taken": Warned(
        ("vpp_token_in_other_mdm",),
        "^Find out first who uses this location",
        "^まず、この場所を誰が使っているか",
    ),
    "taking control costs the other side its assignments": Warned(
        ("vpp_token_in_other_mdm",),
        "Only if nobody needs it.*Take control.*costs the other side its assignments",
        "誰も必要としていない場合に限り.*制御する.*相手側の割り当てが失われます",
    ),
    "a removed token is not added again in haste": Warned(
        ("token_removed",),
        "support before you add a token again.*do not wipe devices",
        "追加し直す前に.*サポート.*ワイプもしないでください",
    ),
    "the terms are accepted once per organization, by the right role": Warned(
        ("ade_terms_not_accepted", "row_3"),
        "Administrator.* once per organization",
        "の役割を持つ人が.*組織ごとに 1 人が 1 回",
    ),
    "a server entry that is gone is not made anew in haste": Warned(
        ("row_2",), "support before you make a new one", "作成し直す前に.*サポート"
    ),
    "what could not be checked is no all-clear": Warned(
        ("could_not_check", "permission", "throttled", "unavailable", "timed_out"),
        "no all-clear",
        "異常がないという意味ではありません",
    ),
    "a grant takes up to a day to be seen": Warned(
        ("permission",),
        r"DeviceManagementServiceConfig\.Read\.All .*cached.* up to 24 hours",
        r"DeviceManagementServiceConfig\.Read\.All .*キャッシュ.*最大 24 時間",
    ),
}


def entry_of(catalogue: Catalogue, key: str) -> Entry:
    if key.startswith("row_"):
        return catalogue.sync_error(int(key.removeprefix("row_")))
    if key in list(FailureReason):
        return catalogue.failure(FailureReason(key))
    return catalogue.problem(Problem(key))


def advice_of(catalogue: Catalogue, key: str, portal: ApplePortal) -> Advice:
    prefixes = {"vpp": TokenKind.VPP, "push": TokenKind.PUSH}
    kind = prefixes.get(key.partition("_")[0], TokenKind.ADE)
    entry = entry_of(catalogue, key)
    return catalogue.advise(entry, kinds=[kind], portal=portal, cloud=Cloud.GLOBAL)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("warning", WARNINGS)
def test_a_card_warns(language: Language, warning: str) -> None:
    warned = WARNINGS[warning]
    pattern = warned.english if language is Language.EN else warned.japanese
    for key in warned.entries:
        for portal in ApplePortal:
            advice = advice_of(load(language), key, portal)
            texts = [" ".join(advice.steps), f"{advice.impact} {' '.join(advice.steps)}"]
            assert any(re.search(pattern, text) for text in texts), f"{key}: {texts[0]}"


@pytest.mark.parametrize("language", Language)
def test_advice_never_starts_with_wiping_enrolling_again_or_deleting(language: Language) -> None:
    harmful = re.compile(
        r"(^|[.:] )(Wipe|Re-enroll|Retire|Delete|Remove (?!nothing)|Erase|Reset|Create)\b"
        r"|(ワイプ|再登録|消去|初期化|削除|リセット)(し|を行い)ます"
    )
    catalogue = load(language)
    sections = (catalogue.problems, catalogue.failures, catalogue.sync_errors)
    first_steps = [entry.steps[0] for section in sections for entry in section.values()]

    assert not [step for step in first_steps if harmful.search(step)]


@pytest.mark.parametrize("language", Language)
def test_no_token_is_deleted_to_silence_a_message(language: Language) -> None:
    hint = load(language).word("welcome.snooze")

    assert "python -m admin snooze" in hint
    assert "Do not delete it" in hint or "削除しないでください" in hint


def test_the_account_is_called_what_it_is_a_note_in_intune() -> None:
    assert load(Language.EN).word("label.account") == "Apple account noted in Intune"
    assert load(Language.JA).word("label.account") == "Intune に記録されている Apple Account"
