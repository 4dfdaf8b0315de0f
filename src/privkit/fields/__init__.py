"""The typed catalogue: what a value is."""

from privkit.fields.account import PASSWORD, SECURITY_ANSWER, USER_NAME
from privkit.fields.base import Category, FieldType, Level, MaskShape, Reading, Sensitivity
from privkit.fields.china import (
    CN_CITY,
    CN_COUNTY,
    CN_LANDLINE,
    CN_MOBILE,
    CN_PROVINCE,
    CN_RESIDENT_ID,
    POSTCODE,
)
from privkit.fields.commerce import COURIER, DURATION, FREE_TEXT, ORDER_NUMBER, TEXT, TRACKING_NUMBER
from privkit.fields.contact import ADDRESS_DETAIL, EMAIL
from privkit.fields.dates import BIRTH_DATE, DATE, TIMESTAMP
from privkit.fields.device import DEVICE_MODEL, IMEI, OAID
from privkit.fields.layout import Layout, Slot, Slots
from privkit.fields.network import IP_ADDRESS, SEARCH_WORDS
from privkit.fields.payment import AMOUNT, BANK_CARD, PAYMENT_METHOD
from privkit.fields.person import ETHNICITY, GENDER, PERSON_NAME
from privkit.fields.registry import CATALOGUE, get
from privkit.fields.sensitive import BIOMETRIC_TEMPLATE, HEALTH, POLITICS, RELIGION, WEALTH

__all__ = [
    "ADDRESS_DETAIL",
    "AMOUNT",
    "BANK_CARD",
    "BIOMETRIC_TEMPLATE",
    "BIRTH_DATE",
    "CATALOGUE",
    "CN_CITY",
    "CN_COUNTY",
    "CN_LANDLINE",
    "CN_MOBILE",
    "CN_PROVINCE",
    "CN_RESIDENT_ID",
    "COURIER",
    "DATE",
    "DEVICE_MODEL",
    "DURATION",
    "EMAIL",
    "ETHNICITY",
    "FREE_TEXT",
    "GENDER",
    "HEALTH",
    "IMEI",
    "IP_ADDRESS",
    "OAID",
    "ORDER_NUMBER",
    "PASSWORD",
    "PAYMENT_METHOD",
    "PERSON_NAME",
    "POLITICS",
    "POSTCODE",
    "RELIGION",
    "SEARCH_WORDS",
    "SECURITY_ANSWER",
    "TEXT",
    "TIMESTAMP",
    "TRACKING_NUMBER",
    "USER_NAME",
    "WEALTH",
    "Category",
    "FieldType",
    "Layout",
    "Level",
    "MaskShape",
    "Reading",
    "Sensitivity",
    "Slot",
    "Slots",
    "get",
]
