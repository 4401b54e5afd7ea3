from webapp import private
from webapp.app import create_app
from webapp.config import or_exit

private.umask()
with or_exit():
    app = create_app()
