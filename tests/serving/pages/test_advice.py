"""What the page says of a result: each warning once, in words with advice."""

from deep3d.pipeline.same_person import who_is_left_out
from serving.pages.advice import advise


def test_photos_that_were_left_out_are_told_by_the_page_alone():
    left_out = who_is_left_out(["wall.jpg", "bert.jpg", "anna.jpg"], found=[1, 2], strangers=[1])
    warnings = (*left_out, "The mouth seems covered: its shape is guessed.", "Something new.")
    told = advise(warnings, str)
    assert [text for text, _ in told] == [
        "Something covers the mouth, so its shape had to be guessed.",
        "Something new.",
    ]
    assert told[1][1] == ""
