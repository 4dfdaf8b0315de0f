"""The typed catalogue: what a value is."""

from privkit.fields.account import PASSWORD, SECURITY_ANSWER, USER_NAME
from privkit.fields.base import Category, FieldType, Level, MaskShape, Reading, Sensitivity
from privkit.fields.china import CN_LANDLINE, CN_MOBILE, POSTCODE
from privkit.fields.commerce import COURIER, DURATION, FREE_TEXT, NUMBER, ORDER_NUMBER, TEXT, TRACKING_NUMBER
from privkit.fields.contact import ADDRESS_DETAIL, EMAIL
from privkit.fields.coordinates import COORDINATES
from privkit.fields.custom import custom
from privkit.fields.dates import BIRTH_DATE, DATE, TIMESTAMP
from privkit.fields.device import DEVICE_MODEL, IMEI, IMSI, OAID
from privkit.fields.documents import CN_CREDIT_CODE, CN_PLATE, CN_RESIDENT_ID, CN_TRAVEL_PERMIT, PASSPORT
from privkit.fields.layout import Layout, Slot, Slots
from privkit.fields.nationality import NATIONALITY
from privkit.fields.network import IP_ADDRESS, MAC_ADDRESS, SEARCH_WORDS
from privkit.fields.payment import AMOUNT, BANK_CARD, PAYMENT_ACCOUNT, PAYMENT_METHOD
from privkit.fields.person import ETHNICITY, GENDER, PERSON_NAME
from privkit.fields.regions import CN_CITY, CN_COUNTY, CN_DIVISION, CN_PROVINCE
from privkit.fields.registry import CATALOGUE, get
from privkit.fields.sensitive import BIOMETRIC_TEMPLATE, HEALTH, POLITICS, RELIGION, WEALTH
from privkit.fields.url import URL

__all__ = [
    "ADDRESS_DETAIL",
    "AMOUNT",
    "BANK_CARD",
    "BIOMETRIC_TEMPLATE",
    "BIRTH_DATE",
    "CATALOGUE",
    "CN_CITY",
    "CN_COUNTY",
    "CN_CREDIT_CODE",
    "CN_DIVISION",
    "CN_LANDLINE",
    "CN_MOBILE",
    "CN_PLATE",
    "CN_PROVINCE",
    "CN_RESIDENT_ID",
    "CN_TRAVEL_PERMIT",
    "COORDINATES",
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
    "IMSI",
    "IP_ADDRESS",
    "MAC_ADDRESS",
    "NATIONALITY",
    "NUMBER",
    "OAID",
    "ORDER_NUMBER",
    "PASSPORT",
    "PASSWORD",
    "PAYMENT_ACCOUNT",
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
    "URL",
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
    "custom",
    "get",
]
