"""The roles that statements are run as. A database has its own: roles belong to the server, and it may have others."""

NARROW = "_tenant"  # behind the database's name: sees the rows of the tenant that a statement names, or none
COMPLETE = "row security: version 1"  # the role's comment, once every table has its policies and grants

# The role, if the database is ready for it and whoever is logged in may become it; and whether that one is itself under
# policies, as an owner who is no superuser is once they are forced.
STANDING = f"""
SELECT
    (SELECT rolname FROM pg_roles
     WHERE rolname = current_database() || '{NARROW}' AND pg_has_role(session_user, oid, 'MEMBER')
        AND shobj_description(oid, 'pg_authid') = '{COMPLETE}'),
    EXISTS (SELECT FROM pg_class WHERE relrowsecurity AND relnamespace = current_schema()::regnamespace
        AND row_security_active(oid))"""  # noqa: S608 - constants
