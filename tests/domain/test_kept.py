"""What is worked out once is kept, and memory has an end."""

from gateway.domain.kept import MOST_KEPT, Kept


class Squares(Kept[int, int]):
    """Answers that tell how often they were worked out."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[int] = []

    def answer(self, key: int) -> int:
        self.asked.append(key)
        return key * key


def test_an_answer_is_worked_out_once():
    squares = Squares()
    assert [squares[3], squares[3]] == [9, 9]
    assert squares.asked == [3]


def test_no_more_is_kept_than_memory_is_given_for():
    squares = Squares()
    for number in range(MOST_KEPT + 1):
        assert squares[number] == number * number
    assert len(squares) == 1
    assert squares[0] == 0
    assert squares.asked[-1] == 0
