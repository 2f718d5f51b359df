"""Token authentication under the name that the load generator sends."""

from rest_framework.authentication import TokenAuthentication


class BearerAuthentication(TokenAuthentication):
    """REST framework's own, with another word in front."""

    keyword = "Bearer"
