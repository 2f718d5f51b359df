"""What authors are told, in words."""

from helpdesk_core.api import NotificationKind, Wording

VARIABLES = ("article_title", "actor_name", "review_date", "reason")
"""What every text about articles can name. `reason` has a value where somebody said why an article did not help."""

REVIEW_DUE = NotificationKind(
    name="kb_review_due",
    title="An article of yours is to be reviewed",
    subject="Is this still right? {article_title}",
    text="You wanted to look at this article again on {review_date}: {article_title}",
    variables=VARIABLES,
    translations={
        "de": Wording(
            title="Ein Artikel von Ihnen ist zu prüfen",
            subject="Stimmt das noch? {article_title}",
            text="Sie wollten diesen Artikel am {review_date} noch einmal ansehen: {article_title}",
        )
    },
)

PUBLISHED = NotificationKind(
    name="kb_article_published",
    title="An article of yours was published",
    subject="Published: {article_title}",
    text="Your article can be read from now on: {article_title}",
    variables=VARIABLES,
    translations={
        "de": Wording(
            title="Ein Artikel von Ihnen wurde veröffentlicht",
            subject="Veröffentlicht: {article_title}",
            text="Ihr Artikel kann jetzt gelesen werden: {article_title}",
        )
    },
)

NOT_HELPFUL = NotificationKind(
    name="kb_article_not_helpful",
    title="Somebody says what is missing in an article of yours",
    subject="Not helpful: {article_title}",
    text="{actor_name} found an article of yours not helpful: {article_title}\n\n{reason}",
    variables=VARIABLES,
    translations={
        "de": Wording(
            title="Jemand sagt, was in einem Artikel von Ihnen fehlt",
            subject="Nicht hilfreich: {article_title}",
            text="{actor_name} fand einen Artikel von Ihnen nicht hilfreich: {article_title}\n\n{reason}",
        )
    },
)

ALL = (REVIEW_DUE, PUBLISHED, NOT_HELPFUL)
