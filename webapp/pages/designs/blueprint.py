"""The blueprint of templates, to which each file here adds its routes."""

from flask import Blueprint

bp = Blueprint("designs", __name__)
