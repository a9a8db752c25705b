from django import forms
from django.utils.translation import gettext_lazy as _

from orders.models import Order


class BasketForm(forms.Form):
    quantity = forms.IntegerField(min_value=1, max_value=20, initial=1, label=_("Quantity"))


class CheckoutForm(forms.ModelForm):
    terms = forms.BooleanField(label=_("I accept the terms"))

    class Meta:
        model = Order
        fields = ["email", "address"]
        widgets = {"address": forms.Textarea(attrs={"rows": 4})}
