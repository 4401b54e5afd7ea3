from flask_wtf import FlaskForm
from wtforms import BooleanField, SelectField, StringField

from webapp.core.audience.wording import country_name, language_name
from webapp.core.clients import ClientSearch
from webapp.core.clients.search import Values
from webapp.core.rules.statuses import ClientStatus


class SearchForm(FlaskForm):
    """The list's filters. They come by GET, so that a filtered list has an address; nothing in it can be invalid for long."""

    class Meta:
        csrf = False

    q = StringField("Search")
    country = SelectField("Country", validate_choice=False)
    language = SelectField("Language", validate_choice=False)
    status = SelectField("Status", validate_choice=False)
    product = SelectField("Product", validate_choice=False)
    unreachable = BooleanField("No usable address")

    def offer(self, values: Values) -> None:
        """Fill the selects with the values that exist."""
        countries = sorted((country_name(code), code) for code in values.countries)
        languages = sorted((language_name(tag), tag) for tag in values.languages)
        self.country.choices = [("", "Any country"), *((code, name) for name, code in countries)]
        self.language.choices = [("", "Any language"), *((tag, name) for name, tag in languages)]
        self.status.choices = [("", "Any status"), *((status.value, status.label) for status in ClientStatus)]
        self.product.choices = [
            ("", "Any product"),
            *((str(p.id), f"{p.group_name} › {p.name}" if p.group_name else p.name) for p in values.products),
        ]

    def wanted(self) -> ClientSearch:
        """The search these filters stand for; a value that does not exist restricts nothing."""
        status, product = self.status.data or "", self.product.data or ""
        return ClientSearch(
            words=(self.q.data or "").strip()[:200],
            country=self.country.data or "",
            language=self.language.data or "",
            status=ClientStatus(status) if status in set(ClientStatus) else None,
            product_id=int(product) if product.isdecimal() and len(product) < 19 else None,
            without_address=bool(self.unreachable.data),
        )
