from webapp.app import create_app
from webapp.config import or_exit

with or_exit():
    app = create_app()
