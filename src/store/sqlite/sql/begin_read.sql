-- begin_read.sql: Several reads of one moment.
BEGIN DEFERRED;
