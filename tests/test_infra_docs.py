"""README, runbook and security documents: what they mention exists, commands and parameters too."""

import json
import re
import shlex
from collections.abc import Iterator

import pytest

from admin.cli import build_parser
from tests.bicep_cli import VERSION, snapshot_text
from tests.seeded import ROOT, project_files
from tests.test_infra_checkov import CHECKOV

pytestmark = pytest.mark.xdist_group("bicep")  # each deployment is compiled once

DOCUMENTS = ("README.md", "SECURITY.md", "docs/operations.md", "docs/security.md")
FILES = set(project_files())


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def commands(document: str) -> Iterator[str]:
    """Yield the lines of the shell blocks, and commands that stand in a sentence."""
    text = read(document)
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            yield line.partition(" # ")[0].strip()
    without_blocks = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    for code in re.findall(r"`([^`\n]+)`", without_blocks):
        if re.match(r"(az|azd|python3?|pwsh|sh|make) \S", code):
            yield code


def words(command: str) -> list[str]:
    return shlex.split(command)


def parameters_of_azd() -> set[str]:
    text = read("infra/main.parameters.json")
    return set(re.findall(r"\$\{(\w+)\}", text))


def outputs() -> set[str]:
    return set(json.loads(snapshot_text("home"))["outputs"])


def described(template: str) -> set[str]:
    return set(re.findall(r"^param (\w+)", read(template), re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_inside_the_project_leads_somewhere(document: str) -> None:
    folder = (ROOT / document).parent

    for target in re.findall(r"\]\(([^)\s]+)\)", read(document)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (folder / path) if path else ROOT / document
        assert file.is_file(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}
            assert anchor in anchors, target


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_it_names_is_there(document: str) -> None:
    pattern = r"\b(?:infra|docs|tests|apple_tokens|check_tokens|notify|\.github)/[\w./-]*\w"

    for path in re.findall(pattern, read(document)):
        assert path in FILES or any(file.startswith(f"{path}/") for file in FILES), path


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_admin_command_can_be_typed_as_it_stands(document: str) -> None:
    for command in commands(document):
        if command.startswith("python -m admin ") and "COMMAND" not in command:
            # What cannot be parsed ends the program.
            build_parser().parse_args(words(command)[3:])


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_azd_is_told_to_set_is_a_parameter_or_its_own(document: str) -> None:
    for command in commands(document):
        if command.startswith("azd env set "):
            assert words(command)[3] in parameters_of_azd()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_name_of_the_deployment_is_one_of_its_outputs(document: str) -> None:
    for command in commands(document):
        for name in re.findall(r"\$(AZURE_\w+)", command):
            assert name in outputs(), command


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_deployment_with_azure_cli_is_given_the_parameters_of_its_template(document: str) -> None:
    for command in commands(document):
        if not command.startswith("az deployment ") or " create " not in command:
            continue
        typed = words(command)
        template = typed[typed.index("--template-file") + 1]
        given = {word.partition("=")[0] for word in typed[typed.index("--parameters") + 1 :]}
        text = read(template)
        required = set(re.findall(r"^param (\w+) \w+$", text, re.MULTILINE))
        assert given <= described(template), command
        assert required <= given, command
        for setting in words(command):
            if setting.startswith("settings="):
                names = set(json.loads(setting.removeprefix("settings=")))
                assert names <= set(
                    re.findall(
                        r"^  ([A-Z_]+): string\?$", read("infra/settings.bicep"), re.MULTILINE
                    )
                )


def test_the_runbook_names_everything_that_is_asked_for() -> None:
    table = read("docs/operations.md").split("| Asked for | What |")[1].split("\n\n")[0]
    required = re.findall(r"^param (\w+) \w+$", read("infra/main.bicep"), re.MULTILINE)

    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == required


def is_deployed(name: str) -> bool:
    """Say whether azd puts a file or folder of the project's root into the package."""
    ignored = [line for line in read(".funcignore").splitlines() if line and line[0] != "#"]
    patterns = [re.escape(line.rstrip("/")).replace(r"\*", ".*") for line in ignored]
    return not any(re.fullmatch(pattern, name) for pattern in patterns)


def test_the_code_that_is_zipped_by_hand_is_what_azd_deploys() -> None:
    zipped = next(words(c) for c in commands("docs/operations.md") if c.startswith("zip "))

    deployed = {name for name in (file.partition("/")[0] for file in FILES) if is_deployed(name)}
    assert deployed == set(zipped[3 : zipped.index("-x")])


def test_what_tools_leave_in_the_projects_folder_is_not_deployed() -> None:
    left = re.findall(r"^/?([\w.-]+)/?$", read(".gitignore"), re.MULTILINE)

    assert len(left) > 5
    assert [name for name in left if is_deployed(name)] == []


def test_the_readme_deploys_with_one_command_and_one_consent() -> None:
    deploy = read("README.md").split("### Deploy it")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)\n```", deploy, re.DOTALL)

    assert blocks[0] == "azd up"
    assert blocks[1].startswith("sh infra/grant-graph-permission.sh ")
    assert len(blocks) == 2


def test_the_readme_says_what_the_app_may_do_in_the_tenant() -> None:
    may = read("README.md").split("### What it may do")[1].split("\n### ")[0]
    permission = re.search(r"PERMISSION=(\w+)\.Read\.All", read("infra/grant-graph-permission.sh"))

    assert permission
    assert f"read `{permission[1]}`, nothing else" in may
    assert permission[1] in read("docs/operations.md")


def test_the_readme_has_the_sections_of_azds_gallery() -> None:
    headings = re.findall(r"^## (.+)$", read("README.md"), re.MULTILINE)

    for section in ("features", "getting started", "guidance", "resources"):
        assert section in [heading.lower() for heading in headings]


def test_azd_is_asked_for_in_the_same_version_everywhere() -> None:
    wanted = re.search(r'azd: ">= ([\d.]+)"', read("azure.yaml"))

    assert wanted
    for document in ("README.md", "docs/operations.md"):
        assert f" {wanted[1]} or newer" in read(document)


def test_the_workflow_checks_with_the_checkov_that_the_test_runs() -> None:
    assert f"uvx --from {CHECKOV} checkov" in read(".github/workflows/deploy.yml")


def test_the_workflow_checks_with_the_bicep_that_wrote_the_snapshots() -> None:
    assert f"az bicep install --version v{VERSION}" in read(".github/workflows/deploy.yml")
