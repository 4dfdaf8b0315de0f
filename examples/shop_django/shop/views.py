"""The service desk: find the customer who is calling."""

from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from privkit import Mask, fields
from shop.models import Customer


@staff_member_required
def desk(request: HttpRequest) -> HttpResponse:
    """Find customers by their whole phone number, in any spelling; show their names masked."""
    asked = request.POST.get("phone", "").strip()
    mask = Mask(fields.PERSON_NAME)
    found = [
        {"pk": customer.pk, "name": mask.protect(customer.name), "orders": list(customer.orders.all())}
        for customer in (Customer.objects.filter(phone=asked) if asked else ())
    ]
    return render(request, "shop/desk.html", {"asked": bool(asked), "found": found})
