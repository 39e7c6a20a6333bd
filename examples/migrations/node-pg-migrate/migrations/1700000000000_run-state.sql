-- Up Migration
alter table runs add column state text not null default 'queued';
-- Down Migration
alter table runs drop column state;
