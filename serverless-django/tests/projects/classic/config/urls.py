from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.conf.urls.static import static
from django.contrib import admin
from django.contrib.sitemaps.views import sitemap
from django.urls import include, path
from django.views.generic import RedirectView

from catalogue.sitemaps import BookSitemap
from catalogue.syndication import NewBooks
from config.api import TokenView, router
from orders.partners import api as partners
from orders.views import payment_webhook

urlpatterns = [
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/", include(router.urls)),
    path("api/token/", TokenView.as_view()),
    path("api/auth/", include("rest_framework.urls")),
    path("partners/", partners.urls),
    path("webhooks/payment/", payment_webhook),
    path("sitemap.xml", sitemap, {"sitemaps": {"books": BookSitemap}}, name="sitemap"),
    path("new.rss", NewBooks()),
    path("shop/", RedirectView.as_view(pattern_name="catalogue:home", permanent=True)),
]
urlpatterns += i18n_patterns(
    path("accounts/", include("accounts.urls")),
    path("orders/", include("orders.urls")),
    path("", include("catalogue.urls")),
)
urlpatterns += static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT)

handler404 = "config.views.page_not_found"
handler500 = "config.views.server_error"
