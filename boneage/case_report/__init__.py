"""One radiograph as a report of one page: as PDF, and as a DICOM structured report.

The terms are those of RadElement set RDES14, "Pediatric bone age" (ACR/RSNA common data elements).
"""
