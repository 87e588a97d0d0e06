-- check_quick.sql: SQLite's own look at its pages.
SELECT 'the file is damaged: ' || quick_check FROM pragma_quick_check(100) WHERE quick_check <> 'ok';
