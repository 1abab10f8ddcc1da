"""Times in the console: as they sort, to the second. Django's own English format stops at the minute."""

DATE_FORMAT = "Y-m-d"
DATETIME_FORMAT = "Y-m-d H:i:s"
