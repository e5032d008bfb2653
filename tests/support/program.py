"""Programs that tests start."""

from typing import Self


class Program:
    """As a context it runs, and leaves nothing behind, not even where it does not start."""

    def start(self) -> Self:
        raise NotImplementedError

    def remove(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.remove()
            raise

    def __exit__(self, *_: object) -> None:
        self.remove()
