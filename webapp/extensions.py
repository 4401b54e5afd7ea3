"""Flask extensions, made here without an app and bound in `webapp/app.py`."""

from flask_babel import Babel
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from htmx_flask import Htmx
from sqlalchemy.orm import Session

from webapp.adapters.smtp.flask_front import RelayMail
from webapp.core.tables import Base


class Database(SQLAlchemy):
    session: Session  # type: ignore[assignment]  # in truth a scoped one, which stands for the request's in every way


db = Database(metadata=Base.metadata)
migrate = Migrate()
mail = RelayMail()
csrf = CSRFProtect()
htmx = Htmx()
login = LoginManager()
babel = Babel()
