"""The currencies of ISO 4217, with the digits of their minor units (Z39.83-1 section 6.3, Amount).

Amounts in messages and in the store are whole numbers of the minor unit: EUR 5.00 is 500, JPY 500 is 500. The list is
the one that NCIP systems share, with the codes that have come since; old charges may have codes no longer in use.
"""

from __future__ import annotations

_CODES: dict[int, str] = {
    0: "BIF BYR CLF CLP DJF GNF ISK JPY KMF KRW PYG RWF UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD "
        "CDF CHE CHF CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EEK EGP ERN ETB EUR FJD FKP GBP GEL GHS "
        "GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL "
        "LTL LVL MAD MDL MGA MKD MMK MNT MOP MRO MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB "
        "PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STD STN SVC SYP "
        "SZL THB TJS TMT TOP TRY TTD TWD TZS UAH UGX USD USN USS UYU UZS VED VEF VES WST XCD XCG YER ZAR ZMK "
        "ZMW ZWG ZWL"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "UYW",
}
DIGITS: dict[str, int] = {code: digits for digits, codes in _CODES.items() for code in codes.split()}
"""How many digits the minor unit of each currency has."""


def currency(code: str) -> str | None:
    """Find the currency that a code means, whatever its letter case; None where there is none."""
    wanted = code.strip().upper()
    return wanted if wanted in DIGITS else None


def shown(amount: int, code: str) -> str:
    """Write an amount in minor units as people do: `5.00 EUR`."""
    digits = DIGITS.get(code, 2)
    sign, whole = "-" if amount < 0 else "", abs(amount)
    if not digits:
        return f"{sign}{whole} {code}"
    major, minor = divmod(whole, 10**digits)
    return f"{sign}{major}.{minor:0{digits}} {code}"
