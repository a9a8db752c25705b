from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def euros(value):
    return f"{number_format(value, 2, force_grouping=True)} €"
