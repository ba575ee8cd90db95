-- The peers' tables, as their own tutorials would have them: one key a table, foreign keys, decimals, and an index for
-- every question that is asked. They are filled from ours, so that all servers have the same data.

CREATE SCHEMA peers;
SET search_path = peers;

CREATE TABLE company (id text PRIMARY KEY, name text NOT NULL, timezone text NOT NULL);
INSERT INTO company SELECT company_id, name, timezone FROM public.portal_companies;

CREATE TABLE client (
    id text PRIMARY KEY, company_id text NOT NULL REFERENCES company, name text NOT NULL
);
INSERT INTO client SELECT id, company_id, name FROM public.portal_clients;

CREATE TABLE access_grant (
    id text PRIMARY KEY, client_id text NOT NULL REFERENCES client, digest bytea NOT NULL UNIQUE,
    permissions text[] NOT NULL, expires_at timestamptz NOT NULL, revoked_at timestamptz
);
INSERT INTO access_grant
SELECT g.id, g.client_id, d.digest, ARRAY(SELECT json_array_elements_text(g.permissions::json)),
       to_timestamp(g.expires_at / 1e6), to_timestamp(g.revoked_at / 1e6)
FROM public.portal_grants g JOIN public.portal_digests d ON (d.company_id, d.grant_id) = (g.company_id, g.id);

CREATE TABLE quote (
    id text PRIMARY KEY, client_id text NOT NULL REFERENCES client, number text NOT NULL, state text NOT NULL,
    revision integer NOT NULL, issued_on date NOT NULL, valid_until date, currency text NOT NULL,
    subtotal numeric(14, 2) NOT NULL, tax numeric(14, 2) NOT NULL, total numeric(14, 2) NOT NULL, decided_at timestamptz
);
INSERT INTO quote
SELECT id, client_id, number, state, revision, issued_on, valid_until, currency, subtotal / 100.0, tax / 100.0, total / 100.0, NULL
FROM public.portal_quotes;

CREATE TABLE sales_order (
    id text PRIMARY KEY, client_id text NOT NULL REFERENCES client, number text NOT NULL, state text NOT NULL,
    ordered_on date NOT NULL, client_reference text, delivery_status text NOT NULL, currency text NOT NULL,
    subtotal numeric(14, 2) NOT NULL, tax numeric(14, 2) NOT NULL, total numeric(14, 2) NOT NULL, quote_id text REFERENCES quote
);
INSERT INTO sales_order
SELECT id, client_id, number, state, ordered_on, client_reference, delivery_status, currency,
       subtotal / 100.0, tax / 100.0, total / 100.0, quote_id
FROM public.portal_orders;

CREATE TABLE delivery (
    id text PRIMARY KEY, client_id text NOT NULL REFERENCES client, number text NOT NULL, state text NOT NULL,
    order_id text REFERENCES sales_order, carrier_name text, tracking_number text, tracking_url text, scheduled_on date,
    shipped_at timestamptz, delivered_at timestamptz, backorder_of text
);
INSERT INTO delivery
SELECT id, client_id, number, state, order_id, carrier_name, tracking_number, tracking_url, scheduled_on,
       to_timestamp(shipped_at / 1e6), to_timestamp(delivered_at / 1e6), backorder_of
FROM public.portal_deliveries;

CREATE TABLE delivery_line (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, delivery_id text NOT NULL REFERENCES delivery, position integer NOT NULL,
    order_line_id text, description text NOT NULL, quantity numeric NOT NULL, delivered_quantity numeric NOT NULL, unit text
);
INSERT INTO delivery_line (delivery_id, position, order_line_id, description, quantity, delivered_quantity, unit)
SELECT d.id, l.position, l.line ->> 0, l.line ->> 1, (l.line ->> 2)::numeric, (l.line ->> 3)::numeric, l.line ->> 4
FROM public.portal_deliveries d, json_array_elements(d.lines::json) WITH ORDINALITY AS l (line, position);

CREATE TABLE invoice (
    id text PRIMARY KEY, client_id text NOT NULL REFERENCES client, number text NOT NULL, kind text NOT NULL, state text NOT NULL,
    payment_state text NOT NULL, issued_on date NOT NULL, due_on date, currency text NOT NULL,
    subtotal numeric(14, 2) NOT NULL, tax numeric(14, 2) NOT NULL, total numeric(14, 2) NOT NULL, amount_due numeric(14, 2) NOT NULL,
    order_id text REFERENCES sales_order, reference text, payment_url text, payment_instructions text
);
INSERT INTO invoice
SELECT id, client_id, number, kind, state, payment_state, issued_on, due_on, currency, subtotal / 100.0, tax / 100.0,
       total / 100.0, amount_due / 100.0, order_id, reference, payment_url, payment_instructions
FROM public.portal_invoices;

CREATE TABLE invoice_line (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, invoice_id text NOT NULL REFERENCES invoice, position integer NOT NULL,
    line_id text NOT NULL, kind text NOT NULL, description text NOT NULL, quantity numeric, unit text, unit_price numeric,
    discount_percent numeric, subtotal numeric(14, 2), total numeric(14, 2)
);
INSERT INTO invoice_line
    (invoice_id, position, line_id, kind, description, quantity, unit, unit_price, discount_percent, subtotal, total)
SELECT i.id, l.position, l.line ->> 'id', l.line ->> 'kind', l.line ->> 'description', (l.line ->> 'quantity')::numeric,
       l.line ->> 'unit', (l.line ->> 'unit_price')::numeric, (l.line ->> 'discount_percent')::numeric,
       (l.line ->> 'subtotal')::bigint / 100.0, (l.line ->> 'total')::bigint / 100.0
FROM public.portal_invoices i, json_array_elements(i.lines::json) WITH ORDINALITY AS l (line, position);

CREATE TABLE payment (
    id text PRIMARY KEY, client_id text NOT NULL REFERENCES client, number text NOT NULL, state text NOT NULL,
    received_on date NOT NULL, currency text NOT NULL, amount numeric(14, 2) NOT NULL, unallocated numeric(14, 2) NOT NULL
);
INSERT INTO payment
SELECT id, client_id, number, state, received_on, currency, amount / 100.0, unallocated / 100.0 FROM public.portal_payments;

CREATE TABLE allocation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payment_id text NOT NULL REFERENCES payment,
    invoice_id text NOT NULL REFERENCES invoice, amount numeric(14, 2) NOT NULL, allocated_on date
);
INSERT INTO allocation (payment_id, invoice_id, amount, allocated_on)
SELECT source_id, invoice_id, amount / 100.0, allocated_on FROM public.portal_allocations WHERE source_type = 'payment';

CREATE INDEX ON quote (client_id, issued_on DESC, id DESC);
CREATE INDEX ON sales_order (client_id, ordered_on DESC, id DESC);
CREATE INDEX ON delivery (client_id, scheduled_on DESC NULLS LAST, id DESC);
CREATE INDEX ON delivery_line (delivery_id);
CREATE INDEX ON invoice (client_id, issued_on DESC, id DESC);
CREATE INDEX ON invoice (client_id) WHERE amount_due > 0;
CREATE INDEX ON invoice_line (invoice_id);
CREATE INDEX ON payment (client_id) WHERE unallocated > 0;
CREATE INDEX ON allocation (invoice_id);
SET search_path = public;
