"""Plans as users hold them: tables, page, workbook and figures."""
