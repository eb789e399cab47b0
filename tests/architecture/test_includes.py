# SPDX-License-Identifier: Apache-2.0
"""Holds every #include under src/ to the floor plan in src/CMakeLists.txt and each third party to its own folder."""

import re
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"

# Header prefix -> the folders that may include it. fmt and tl::expected are vocabulary, allowed everywhere.
THIRD_PARTY = {
    r"spdlog/": {"base"},
    r"openssl/": {"base"},
    r"nlohmann/": {"json"},
    r"simdjson": {"json"},
    r"soci/|soci\.h|sqlite3\.h|libpq": {"store"},
    r"microhttpd|gnutls/": {"http"},
    r"curl/": {"http", "data"},
    r"zlib\.h": {"http"},
    r"turbojpeg|jpeglib|spng|webp/|gif_lib|opencv2/": {"image"},
    r"archive(_entry)?\.h": {"data"},
    r"torch/|ATen/|c10/|caffe2/": {"nn"},
    r"onnx/|google/protobuf": {"onnx"},
    r"grpcpp/|inference(\.grpc)?\.pb\.h": {"grpc"},
    r"openvino/": {"infer"},
    r"prometheus/": {"monitor"},
    r"web_assets\.hpp": {"serve"},
    r"CLI/|yaml-cpp/": {"app"},
    r"gtest/|gmock/": {"*_test.cpp"},
}
VOCABULARY = re.compile(r"^(fmt/|tl/)")
# The C++ standard library has no dot or slash in its names; POSIX and Linux headers are named here.
SYSTEM = re.compile(r"^([a-z_0-9]+|sys/\w+\.h|linux/\w+\.h|arpa/\w+\.h|netinet/\w+\.h|(unistd|fcntl|signal|spawn|poll|errno|netdb|termios|time|stdlib|pthread|sched|malloc|dlfcn|immintrin|xmmintrin|pmmintrin|setjmp|cpuid|mntent|ftw|getopt|stdio|locale|pwd)\.h)$")


def floor_plan():
    text = (SRC / "CMakeLists.txt").read_text()
    modules = {}
    for call in re.findall(r"^module\((.*?)\)$", text, re.S | re.M):
        name = call.split()[0]
        deps = re.search(r"DEPS\s+((?:[a-z]+\s*)+)", call)
        modules[name] = deps.group(1).split() if deps else []
    assert len(modules) >= 15, "could not read src/CMakeLists.txt"
    return modules


PLAN = floor_plan()
FILES = sorted(p for p in SRC.rglob("*") if p.suffix in {".cpp", ".hpp"})


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if match := re.match(r'\s*#\s*include\s*([<"])([^">]+)[">]', line):
            yield number, match.group(1), match.group(2)


def test_plan_points_one_way():
    seen = set()
    for name, deps in PLAN.items():  # the file's order is a topological order
        assert set(deps) <= seen, f"{name} depends on {set(deps) - seen}, which stand below it"
        seen.add(name)


def includers(header):
    """The files that include one of our headers."""
    name = str(header.relative_to(SRC))
    return [p for p in FILES if any(included == name for _, _, included in includes(p))]


def is_test_code(path):
    """A test, or a header that only tests include."""
    if path.name.endswith("_test.cpp"):
        return True
    users = includers(path) if path.suffix == ".hpp" else []
    return bool(users) and all(is_test_code(user) for user in users)


def is_public(header):
    """Another folder includes it."""
    return any(user.parent != header.parent for user in includers(header))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(SRC)))
def test_includes_follow_the_plan(path):
    folder = path.relative_to(SRC).parts[0]
    for number, kind, header in includes(path):
        where = f"{path.relative_to(SRC)}:{number} includes {header}"
        top = header.split("/")[0]
        if top in PLAN or top == "app":
            if folder != "app":
                assert top == folder or top in PLAN[folder], f"{where}, but {folder} may not depend on {top}"
            continue
        owners = [folders for pattern, folders in THIRD_PARTY.items() if re.match(pattern, header)]
        if owners:
            allowed = folder in owners[0] or ("*_test.cpp" in owners[0] and is_test_code(path))
            assert allowed, f"{where}, which belongs in {sorted(owners[0])} alone"
            if path.suffix == ".hpp" and folder != "json" and not is_test_code(path):
                assert not is_public(path), f"{where}: a heavy library's header in a header that other folders include"
            continue
        assert kind == "<" and (VOCABULARY.match(header) or SYSTEM.match(header)), f"{where}, which the plan does not know"


def test_every_folder_is_in_the_plan():
    folders = {p.name for p in SRC.iterdir() if p.is_dir()}
    assert folders == set(PLAN) | {"app"}


def test_only_module_edges_and_main_catch_exceptions():
    """Library exceptions stop at their folder's edge: one guard a folder, and main."""
    allowed = {"base", "app", "json", "store", "image", "data", "nn", "onnx", "infer", "http", "monitor", "model"}
    for path in FILES:
        if path.name.endswith("_test.cpp"):
            continue
        if re.search(r"\bcatch\s*\(", path.read_text()):
            assert path.relative_to(SRC).parts[0] in allowed, f"{path.relative_to(SRC)} catches"


def test_sources_start_with_their_licence():
    for path in FILES:
        assert path.read_text().startswith("// SPDX-License-Identifier: Apache-2.0\n"), path.relative_to(SRC)


def test_only_image_and_the_checks_of_what_comes_in_decode_without_a_model_in_mind():
    """One preprocessing code path: whoever feeds a network decodes with image::decode_for. load/pictures.cpp plays a client that sends pixels."""
    for path in FILES:
        folder = path.relative_to(SRC).parts[0]
        if folder == "image" or path.name.endswith("_test.cpp") or path.name in {"checkers.cpp", "upload_intake.cpp", "pictures.cpp"}:
            continue
        assert not re.search(r"image::decode\(", path.read_text()), f"{path.relative_to(SRC)}: use image::decode_for"
