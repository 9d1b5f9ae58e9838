"""What staff and hospitals read: the settlement sheet (PDF) and the reconciliation (XLSX)."""
