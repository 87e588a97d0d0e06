-- begin_write.sql: Every write waits for its turn at once: a transaction that reads first and wants to write later can be refused for ever.
BEGIN IMMEDIATE;
