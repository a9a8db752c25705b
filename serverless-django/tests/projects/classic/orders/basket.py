from catalogue.models import Book

KEY = "basket"


class Basket:
    """Books and their quantities, kept in the session."""

    def __init__(self, session):
        self.session = session
        self.quantities = session.get(KEY, {})

    def add(self, book, quantity=1):
        self.quantities[str(book.pk)] = self.quantities.get(str(book.pk), 0) + quantity
        self.session[KEY] = self.quantities

    def remove(self, book):
        self.quantities.pop(str(book.pk), None)
        self.session[KEY] = self.quantities

    def clear(self):
        self.session.pop(KEY, None)
        self.quantities = {}

    def __len__(self):
        return sum(self.quantities.values())

    def lines(self):
        for book in Book.objects.filter(pk__in=self.quantities):
            quantity = self.quantities[str(book.pk)]
            yield {"book": book, "quantity": quantity, "sum": book.price * quantity}

    def total(self):
        return sum(line["sum"] for line in self.lines())
