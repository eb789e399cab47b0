# SPDX-License-Identifier: Apache-2.0
"""`imago data check`: what was planted in real images is found, and nothing is changed."""

import io
import random
import re
import shutil

import pytest
from PIL import Image

from conftest import Program

PER_CLASS = 60
PLANTED = 80


def jpeg60(image):
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=60)
    return Image.open(io.BytesIO(encoded.getvalue()))


def brighter(image):
    return image.point(lambda value: min(255, value + 10))


def smaller(image):
    return image.resize((round(image.width * 0.9), round(image.height * 0.9)), Image.Resampling.BICUBIC)


def larger(image):
    return image.resize((round(image.width * 1.1), round(image.height * 1.1)), Image.Resampling.BICUBIC)


def cropped(image):
    return image.crop((1, 1, image.width - 1, image.height - 1))


CHANGES = {change.__name__: change for change in (jpeg60, brighter, smaller, larger, cropped)}


def finding(report, check):
    return next((found for found in report["findings"] if found["check"] == check), {"count": 0, "items": []})


def names(item):
    return {image["path"] for image in item["images"]}


def snapshot(folder):
    return {path.relative_to(folder): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def planted(small_cifar, tmp_path_factory):
    """Real CIFAR-10 images; some test images are changed or unchanged copies of training images."""
    source = tmp_path_factory.mktemp("planted")
    generator = random.Random(5)
    train = []
    for split, count in (("train", PER_CLASS), ("test", 20)):
        for folder in sorted((small_cifar / split).iterdir()):
            target = source / split / folder.name
            target.mkdir(parents=True)
            for file in sorted(folder.iterdir())[:count]:
                shutil.copy(file, target)
                if split == "train":
                    train.append(target / file.name)
    pairs = {}
    chosen = generator.sample(train, PLANTED * (len(CHANGES) + 1))
    for i, original in enumerate(chosen):
        change = ["exact", *CHANGES][i // PLANTED]
        copy = source / "test" / original.parent.name / f"planted-{change}-{i}{original.suffix if change == 'exact' else '.png'}"
        if change == "exact":
            shutil.copy(original, copy)
        else:
            CHANGES[change](Image.open(original).convert("RGB")).save(copy)
        pairs[str(copy.relative_to(source))] = (str(original.relative_to(source)), change)
    program = Program(tmp_path_factory.mktemp("check"))
    program.json("data", "import", source, "--name", "planted")
    program.pairs = pairs
    program.before = snapshot(program.workspace / "datasets")
    program.report_folder = program.workspace.parent / "report"
    program.report = program.json("data", "check", "planted", "--report", program.report_folder)
    return program


def test_every_exact_copy_is_found_and_named_first(planted):
    leaks = planted.report["findings"][0]
    assert leaks["check"] == "leak_exact" and leaks["severity"] == "bad"
    found = {name for item in leaks["items"] for name in names(item)}
    assert {copy for copy, (_, change) in planted.pairs.items() if change == "exact"} <= found
    assert all(item["images"][0]["split"] == "test" for item in leaks["items"])


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_are_found(planted, change):
    groups = [names(item) for item in finding(planted.report, "leak_near")["items"]]
    expected = [(copy, original) for copy, (original, how) in planted.pairs.items() if how == change]
    found = sum(any(copy in group and original in group for group in groups) for copy, original in expected)
    assert found >= 0.95 * len(expected), f"{change}: {found} of {len(expected)}"


def test_images_that_are_no_copies_are_left_alone(planted):
    """CIFAR-10 has a few near copies of its own (Barz and Denzler 2020), which count against us here."""
    involved = set(planted.pairs) | {original for original, _ in planted.pairs.values()}
    accused = {name for item in finding(planted.report, "duplicate_near")["items"] for name in names(item)} - involved
    assert len(accused) < 0.01 * (planted.report["images"] - len(involved)), sorted(accused)


def test_a_check_changes_nothing(planted):
    assert snapshot(planted.workspace / "datasets") == planted.before
    again = planted.json("data", "check", "planted")
    assert again == {key: value for key, value in planted.report.items() if key != "report"}


def test_the_page_needs_nothing_but_itself(planted):
    page = (planted.report_folder / "check.html").read_text()
    assert (planted.report_folder / "check.json").exists()
    assert not re.search(r"https?://|<script|<link|url\(|@import", page)
    assert set(re.findall(r'src="([a-z]+:image/[a-z]+);', page)) <= {"data:image/jpeg", "data:image/png"}
    assert page.count("<img") > 50 and "prefers-color-scheme: dark" in page
    assert page.index('id="leak_exact"') < page.index('id="duplicate_near"')


def blob(seed, size=(48, 48)):
    """A picture unlike those of other seeds."""
    generator = random.Random(seed)
    small = Image.new("RGB", (6, 6))
    small.putdata([tuple(generator.randrange(256) for _ in range(3)) for _ in range(36)])
    return small.resize(size, Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def flawed(tmp_path_factory):
    """One of everything that ruins models."""
    source = tmp_path_factory.mktemp("flawed")
    for split, label, count in (("train", "cat", 30), ("train", "dog", 8), ("test", "cat", 4), ("test", "dog", 4)):
        (source / split / label).mkdir(parents=True)
        for i in range(count):
            blob(f"{split} {label} {i}").save(source / split / label / f"{i}.png")
    cat = source / "train" / "cat"
    (cat / "text.jpg").write_text("no picture at all")
    blob("whole").save(cat / "truncated.jpg")
    (cat / "truncated.jpg").write_bytes((cat / "truncated.jpg").read_bytes()[:-400])
    blob("named").save(cat / "misnamed.jpg", "PNG")
    blob("tiny", (8, 8)).save(cat / "tiny.png")
    blob("huge", (4200, 4000)).save(cat / "huge.jpg", quality=20)
    blob("long", (200, 20)).save(cat / "long.png")
    Image.new("RGB", (40, 40), (90, 90, 90)).save(cat / "blank.png")
    blob("dark").point(lambda value: value // 20).save(cat / "dark.png")
    blob("gray").convert("L").save(cat / "gray.png")
    blob("inks").convert("CMYK").save(cat / "inks.jpg")
    see_through = blob("alpha").convert("RGBA")
    see_through.putalpha(blob("mask").convert("L"))
    see_through.save(cat / "alpha.png")
    shutil.copy(cat / "1.png", source / "test" / "cat" / "leak.png")
    jpeg60(blob("train cat 2")).save(source / "test" / "cat" / "near.png")
    shutil.copy(cat / "3.png", source / "train" / "dog" / "other_label.png")
    program = Program(tmp_path_factory.mktemp("every"))
    program.json("data", "import", source, "--name", "flawed", "--split", "100/0/0")
    program.report = program.json("data", "check", "flawed", "--report", program.workspace.parent / "report")
    program.page = (program.workspace.parent / "report" / "check.html").read_text()
    return program


@pytest.mark.parametrize("check, file", [
    ("leak_exact", "test/cat/leak.png"), ("leak_near", "test/cat/near.png"), ("label_conflict", "train/dog/other_label.png"),
    ("duplicate_exact", "train/cat/1.png"), ("duplicate_near", "train/cat/2.png"), ("refused", "text.jpg: not an image"),
    ("refused", "truncated.jpg: broken JPEG"), ("wrong_type", "train/cat/misnamed.jpg"), ("tiny", "train/cat/tiny.png"),
    ("huge", "train/cat/huge.jpg"), ("blank", "train/cat/blank.png"), ("odd_aspect", "train/cat/long.png"),
    ("brightness", "train/cat/dark.png"), ("gray", "train/cat/gray.png"), ("cmyk", "train/cat/inks.jpg"),
    ("alpha", "train/cat/alpha.png"), ("class_imbalance", "")])
def test_everything_that_ruins_models_is_found_and_shown(flawed, check, file):
    found = finding(flawed.report, check)
    assert found["count"] > 0
    named = [name for item in found["items"] for name in [item["note"], *names(item)]]
    assert not file or any(file in name for name in named), named
    section = flawed.page[flawed.page.index(f'<section id="{check}">'):]
    section = section[:section.index("</section>")]
    assert file in section and (check in ("refused", "class_imbalance") or "<img" in section)


def test_distributions_are_in_the_report_and_drawn(flawed):
    assert list(flawed.report["distributions"]) == ["width", "height", "aspect", "brightness", "contrast"]
    assert flawed.report["distributions"]["width"]["max"] == 4200
    assert flawed.page.count('aria-label="histogram"') == 5


def test_names_from_the_data_set_are_text_on_the_page(tmp_path):
    source = tmp_path / "source"
    for label in ("<b>cat", "dog"):
        for i in range(12):
            path = source / label / f"<script>alert({i})<%2fscript>.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (20, 20), (i * 20, 40, len(label) * 9)).save(path)
    program = Program(tmp_path / "workspace")
    program.run("data", "import", source, "--name", "hostile")
    target = tmp_path / "page.html"
    text = program.run("data", "check", "hostile", "--report", target).stdout
    page = target.read_text()
    assert "blank" in text and str(target) in text
    assert "<script" not in page and "<b>cat" not in page and "&lt;script&gt;alert(3)" in page


def test_an_unknown_data_set_is_one_clear_line(tmp_path):
    done = Program(tmp_path).run("data", "check", "nothing", check=False)
    assert done.returncode == 1 and "nothing" in done.stderr and done.stderr.count("\n") == 1


def test_flipped_labels_are_suspected(tmp_path):
    """Drawn shapes, of which 2 % get another label: by chance one in fifty of those named would be one of them; two short
    trainings on 1,500 images must name 25 times as many."""
    program = Program(tmp_path / "workspace")
    program.run("data", "import", "shapes", "--name", "shapes")
    program.run("data", "export", "shapes", tmp_path / "all")
    for folder in sorted((tmp_path / "all" / "train").iterdir()):
        (tmp_path / "files" / folder.name).mkdir(parents=True)
        for file in sorted(folder.iterdir())[:150]:
            shutil.copy(file, tmp_path / "files" / folder.name)
    generator = random.Random(3)
    files = sorted((tmp_path / "files").rglob("*.png"))
    labels = sorted({file.parent.name for file in files})
    flipped = generator.sample(files, len(files) // 50)
    for file in flipped:
        other = generator.choice([label for label in labels if label != file.parent.name])
        target = file.parent.parent / other / f"flipped-{file.parent.name}-{file.name}"
        file.rename(target)
    program.run("data", "import", tmp_path / "files", "--name", "flipped")
    before = sorted(path.name for path in program.workspace.iterdir())
    report = program.json("data", "check", "flipped", "--suspicious-labels", "--folds", "2", "--set", "epochs=8",
                          "--set", "batch_size=64", "--set", "max_minutes=0", timeout=300)
    assert sorted(path.name for path in program.workspace.iterdir()) == before, "nothing is left behind"
    worst = finding(report, "suspicious_label")["items"][:len(flipped)]
    right = sum("flipped-" in item["images"][0]["path"] for item in worst)
    assert right >= 0.5 * len(flipped), f"{right} of {len(flipped)}"
    assert "looks like" in worst[0]["note"]
