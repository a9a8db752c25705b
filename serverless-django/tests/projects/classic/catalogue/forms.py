from django import forms
from django.utils.translation import gettext_lazy as _

from catalogue.models import Book, Category, Review


class SearchForm(forms.Form):
    q = forms.CharField(label=_("Search"), required=False, max_length=100)
    category = forms.ModelChoiceField(
        Category.objects.all(), to_field_name="slug", required=False, label=_("Category")
    )


class ReviewForm(forms.ModelForm):
    class Meta:
        model = Review
        fields = ["stars", "text"]
        widgets = {"stars": forms.NumberInput(attrs={"min": 1, "max": 5})}


class BookFilesForm(forms.ModelForm):
    class Meta:
        model = Book
        fields = ["cover", "sample"]
