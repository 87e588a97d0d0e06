#!lua flags=no-writes
-- needs: schema
-- version.lua: which version the store has, also on a replica.
return schema_found()
