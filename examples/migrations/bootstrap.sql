-- What the service's own models create before there is a migration.
create table tenants (id int primary key, name text not null);
create table runs (id int primary key, tenant int not null references tenants);
