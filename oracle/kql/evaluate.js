// Runs the part of KQL that seawall writes, over rows, by Kusto's documentation. No Kusto engine can be had here, so
// this is what holds the meaning of queries: each operator and function names the page that it was written from
// (below learn.microsoft.com/kusto/query/). Parsing is Microsoft's.
//
// Where the documentation leaves something open, or where nulls would make two readings possible (a null under
// `and`, an empty array under `mv-apply`, a value of JSON compared without a conversion), it stops instead of choosing:
// queries must not hang on such things.
//
// Values: text is a JS string (never null: scalar-data-types/string), long a number, bool a boolean, and null for
// each of these but text. JSON, moments and spans are classes of their own.

'use strict';

const { tables } = require('./tables.js');

class Json {
  constructor(value) {
    this.value = value === undefined ? null : value;
  }
}
class Moment {
  constructor(at) {
    this.at = at;
  }
}
class Span {
  constructor(length) {
    this.length = length;
  }
}

const isNull = (value) => value === null || (value instanceof Json && value.value === null);

function stop(message) {
  throw new Error(message);
}

// ---------------------------------------------------------------- reading the tree

let kinds;
function kindOf(node) {
  return kinds[node.Kind];
}
// What is asked of a node again and again is kept beside it.
const kept = new Map();
function once(node, make) {
  if (!kept.has(node)) kept.set(node, make(node));
  return kept.get(node);
}
function items(list) {
  return list ? once(list, listed) : [];
}
function listed(list) {
  const all = [];
  for (let i = 0; i < list.ChildCount; i += 1) {
    const child = list.GetChild(i);
    all.push(kinds[child.Kind] === 'SeparatedElement' ? child.GetChild(0) : child);
  }
  return all;
}
const nameOf = (node) => once(node, (own) => own.SimpleName ?? stop(`no name: ${own.ToString(0)}`));

// scalar-data-types/string: 'a' and "a" take escapes with a backslash, @'a' takes none but a doubled quote.
function textLiteral(token) {
  if (token.startsWith('@')) {
    const quote = token[1];
    return token.slice(2, -1).split(quote + quote).join(quote);
  }
  return token.slice(1, -1).replace(/\\(.)/g, (_, letter) => ({ n: '\n', r: '\r', t: '\t' })[letter] ?? letter);
}

const UNITS = { d: 86400e6, h: 3600e6, m: 60e6, s: 1e6, ms: 1e3 };
// scalar-data-types/timespan
function spanLiteral(token) {
  const [, number, unit] = /^([\d.]+)([a-z]+)$/.exec(token) ?? stop(`timespan ${token}`);
  return new Span(Number(number) * (UNITS[unit] ?? stop(`timespan ${token}`)));
}

// ---------------------------------------------------------------- conversions

// tostring-function: of a null the empty text, of JSON its text, of text in JSON the text itself.
function tostring(value) {
  if (isNull(value)) return '';
  if (value instanceof Json) {
    return typeof value.value === 'string' ? value.value : JSON.stringify(value.value);
  }
  if (value instanceof Moment) return new Date(value.at / 1000).toISOString();
  if (value instanceof Span) return stop('tostring(timespan)');
  return String(value);
}

// tolong-function, toint-function: null where it cannot be converted.
function tolong(value) {
  const plain = value instanceof Json ? value.value : value;
  if (typeof plain === 'number') return Math.trunc(plain);
  if (typeof plain === 'boolean') return plain ? 1 : 0;
  return typeof plain === 'string' && /^-?\d+$/.test(plain) ? Number(plain) : null;
}

// todatetime-function: null where it cannot be converted. Kept in microseconds.
function todatetime(value) {
  const text = value instanceof Json ? value.value : value;
  if (text instanceof Moment) return text;
  const found = typeof text === 'string' && /^(.*?)(?:\.(\d+))?(Z|\+00:00)?$/.exec(text);
  if (!found) return null;
  const whole = Date.parse(`${found[1]}Z`);
  return Number.isNaN(whole) ? null : new Moment(whole * 1000 + Number((found[2] ?? '').padEnd(6, '0').slice(0, 6)));
}

const text = (value) => (typeof value === 'string' ? value : stop(`text is wanted, not ${JSON.stringify(value)}`));
const array = (value) =>
  value instanceof Json && (value.value === null || Array.isArray(value.value))
    ? value.value
    : stop(`an array is wanted, not ${JSON.stringify(value)}`);

// matches-regex-operator, re2: RE2's syntax; what is used of it is JS's too, but for flags at the beginning.
const patterns = new Map();
function pattern(source) {
  if (!patterns.has(source)) {
    const flags = /^\(\?i\)/.test(source) ? 'iu' : 'u';
    const plain = source.replace(/^\(\?i\)/, '').replace(/\\([^\w\s^$\\.*+?()[\]{}|/])/g, '$1');
    patterns.set(source, new RegExp(plain, flags));
  }
  return patterns.get(source);
}

// ---------------------------------------------------------------- scalar functions

const functions = {
  tostring,
  tolong,
  todatetime,
  toint: tolong, // toint-function
  // tolower-function
  tolower: (value) => text(value).toLowerCase(),
  // strcat-function: converts its arguments to text
  strcat: (...values) => values.map(tostring).join(''),
  // strcat-delim-function
  strcat_delim: (between, ...values) => values.map(tostring).join(text(between)),
  // strcat-array-function
  strcat_array: (values, between) => (array(values) ?? stop('strcat_array(null)')).map((value) => tostring(new Json(value))).join(text(between)),
  // strlen-function: in characters
  strlen: (value) => [...text(value)].length,
  // substring-function: from 0; without a length to the end
  substring: (value, from, length) =>
    from < 0 ? stop('substring from the end') : text(value).slice(from, length === undefined ? undefined : from + length),
  // indexof-function: -1 where it is not found
  indexof: (value, what) => text(value).indexOf(text(what)),
  // split-function: an array, of an empty text with one empty text in it
  split: (value, by) => new Json(text(value).split(text(by))),
  // replace-string-function: all of them
  replace_string: (value, what, by) => text(value).split(text(what)).join(text(by)),
  // url-decode-function
  url_decode: (value) => {
    try {
      return decodeURIComponent(text(value));
    } catch {
      return text(value);
    }
  },
  // extract-function: of no match the empty text (a null of text)
  extract: (source, group, value) => pattern(source).exec(text(value))?.[group] ?? '',
  // parse-json-function: what is no JSON is a text
  parse_json: (value) => {
    try {
      return new Json(JSON.parse(text(value)));
    } catch {
      return new Json(value);
    }
  },
  // gettype-function
  gettype: (value) => {
    if (isNull(value)) return 'null';
    if (!(value instanceof Json)) return stop('gettype() of what is no JSON');
    if (Array.isArray(value.value)) return 'array';
    if (typeof value.value === 'object') return 'dictionary';
    return { string: 'string', boolean: 'bool', number: Number.isInteger(value.value) ? 'long' : 'double' }[typeof value.value];
  },
  // isnull-function, isnotnull-function: of text always false and true
  isnull: (value) => (typeof value === 'string' ? stop('isnull() of text') : isNull(value)),
  isnotnull: (value) => (typeof value === 'string' ? stop('isnotnull() of text') : !isNull(value)),
  // isempty-function, isnotempty-function: empty text or null
  isempty: (value) => value === '' || isNull(value),
  isnotempty: (value) => !(value === '' || isNull(value)),
  // coalesce-function: the first that is not null, of text that is not empty
  coalesce: (...values) => values.find((value) => !isNull(value) && value !== '') ?? values[values.length - 1],
  // array-length-function: null of what is no array
  array_length: (value) =>
    value instanceof Json && Array.isArray(value.value) ? value.value.length : null,
  // bag-keys-function: the keys of the root; null of what is no map
  bag_keys: (value) =>
    value instanceof Json && value.value !== null && typeof value.value === 'object' && !Array.isArray(value.value)
      ? new Json(Object.keys(value.value))
      : new Json(null),
  // bag-pack-function; values keep their type
  bag_pack: (...pairs) => {
    const bag = {};
    for (let i = 0; i < pairs.length; i += 2) {
      bag[text(pairs[i])] = pairs[i + 1] instanceof Json ? pairs[i + 1].value : pairs[i + 1];
    }
    return new Json(bag);
  },
  // set-intersect-function, set-difference-function: over arrays
  set_intersect: (a, b) => {
    const [left, right] = [array(a) ?? stop('a set of null'), array(b)];
    return new Json([...new Set(left.filter((value) => right.includes(value)))]);
  },
  set_difference: (a, b) => {
    const [left, right] = [array(a) ?? stop('a set of null'), array(b)];
    return new Json([...new Set(left.filter((value) => !right.includes(value)))]);
  },
  // range-function
  range: (from, to) => new Json(Array.from({ length: to - from + 1 }, (_, i) => from + i)),
  // bin-function: down to a multiple
  bin: (value, size) =>
    value === null ? null : new Moment(Math.floor(value.at / size.length) * size.length),
};

// ---------------------------------------------------------------- expressions

const typeName = (value) => {
  if (value instanceof Json) return 'json';
  if (value instanceof Moment) return 'moment';
  if (value instanceof Span) return 'span';
  return typeof value;
};
function plain(value) {
  if (value instanceof Moment) return value.at;
  return value instanceof Span ? value.length : value;
}

// datetime-timespan-arithmetic, numerical-operators: of a null null; comparisons of a null are null.
function compare(kind, a, b) {
  if (a === null || b === null) return null;
  if (a instanceof Json || b instanceof Json) return stop(`a value of JSON is compared: ${kind}`);
  if (typeName(a) !== typeName(b)) return stop(`${typeName(a)} is compared with ${typeName(b)}`);
  const [x, y] = typeof a === 'string' ? [a, b] : [plain(a), plain(b)];
  switch (kind) {
    case 'EqualExpression': // equals-cs-operator
      return x === y;
    case 'NotEqualExpression': // not-equals-cs-operator
      return x !== y;
    case 'LessThanExpression':
      return x < y;
    case 'LessThanOrEqualExpression':
      return x <= y;
    case 'GreaterThanExpression':
      return x > y;
    case 'GreaterThanOrEqualExpression':
      return x >= y;
    default:
      return stop(kind);
  }
}

function calculate(kind, a, b) {
  if (a === null || b === null) return null;
  const sign = kind === 'AddExpression' ? 1 : -1;
  if (kind === 'MultiplyExpression') {
    if (b instanceof Span) return new Span(a * b.length);
    return a instanceof Span ? new Span(a.length * b) : a * b;
  }
  if (a instanceof Moment && b instanceof Span) return new Moment(a.at + sign * b.length);
  if (a instanceof Moment && b instanceof Moment && sign < 0) return new Span(a.at - b.at);
  if (typeof a === 'number' && typeof b === 'number') return a + sign * b;
  return stop(`${kind} of ${typeName(a)} and ${typeName(b)}`);
}

// logical-operators; what a null makes of them is not asked.
function truth(value) {
  return typeof value === 'boolean' ? value : stop('a null under `and`, `or` or `not`');
}

const TEXT_OPERATORS = {
  StartsWithCsExpression: (a, b) => a.startsWith(b), // startswith-cs-operator
  NotStartsWithCsExpression: (a, b) => !a.startsWith(b),
  StartsWithExpression: (a, b) => a.toLowerCase().startsWith(b.toLowerCase()), // startswith-operator
  EndsWithCsExpression: (a, b) => a.endsWith(b), // endswith-cs-operator
  NotEndsWithCsExpression: (a, b) => !a.endsWith(b),
  ContainsCsExpression: (a, b) => a.includes(b), // contains-cs-operator
  NotContainsCsExpression: (a, b) => !a.includes(b),
  MatchesRegexExpression: (a, b) => pattern(b).test(a), // matches-regex-operator
  EqualTildeExpression: (a, b) => a.toLowerCase() === b.toLowerCase(), // equals-operator
};

function evaluate(node, row, scope) {
  const kind = kindOf(node);
  const of = (part) => evaluate(part, row, scope);
  switch (kind) {
    case 'ParenthesizedExpression':
      return of(node.Expression);
    case 'StringLiteralExpression':
    case 'CompoundStringLiteralExpression':
      return once(node, (own) => textLiteral(own.ToString(0).trim()));
    case 'LongLiteralExpression':
      return once(node, (own) => Number(own.ToString(0).trim()));
    case 'BooleanLiteralExpression':
      return once(node, (own) => own.ToString(0).trim() === 'true');
    case 'TimespanLiteralExpression':
      return once(node, (own) => spanLiteral(own.ToString(0).trim()));
    case 'DynamicExpression': // scalar-data-types/dynamic
      return once(node, (own) => new Json(jsonLiteral(own.Expression)));
    case 'NameReference': {
      const name = nameOf(node);
      if (row && Object.hasOwn(row, name)) return row[name];
      if (Object.hasOwn(scope.scalars, name)) return scope.scalars[name];
      return stop(`there is no column ${name}`);
    }
    case 'PathExpression':
      return member(of(node.Expression), nameOf(node.Selector));
    case 'ElementExpression':
      return member(of(node.Expression), of(node.Selector.Expression));
    case 'AndExpression': {
      const [a, b] = [of(node.Left), of(node.Right)];
      return truth(a) && truth(b);
    }
    case 'OrExpression': {
      const [a, b] = [of(node.Left), of(node.Right)];
      return truth(a) || truth(b);
    }
    case 'EqualExpression':
    case 'NotEqualExpression':
    case 'LessThanExpression':
    case 'LessThanOrEqualExpression':
    case 'GreaterThanExpression':
    case 'GreaterThanOrEqualExpression':
      return compare(kind, of(node.Left), of(node.Right));
    case 'AddExpression':
    case 'SubtractExpression':
    case 'MultiplyExpression':
      return calculate(kind, of(node.Left), of(node.Right));
    case 'UnaryMinusExpression':
      return -of(node.Expression);
    case 'InExpression': // in-cs-operator
    case 'NotInExpression': {
      const value = of(node.Left);
      if (isNull(value) || value instanceof Json) return stop('`in` of a null or of JSON');
      const found = items(node.Right.Expressions).some((one) => compare('EqualExpression', value, of(one)));
      return kind === 'NotInExpression' ? !found : found;
    }
    // What the parser calls so is written `in~`.
    case 'InCsExpression': { // in-operator
      const value = text(of(node.Left)).toLowerCase();
      return items(node.Right.Expressions).some((one) => value === text(of(one)).toLowerCase());
    }
    case 'FunctionCallExpression':
      return call(node, row, scope);
    case 'ToScalarExpression':
      return toscalar(node.Expression, scope);
    default: {
      const operator = TEXT_OPERATORS[kind];
      if (operator) return operator(text(of(node.Left)), text(of(node.Right)));
      return stop(`no form for ${kind}: ${node.ToString(0)}`);
    }
  }
}

function jsonLiteral(node) {
  return JSON.parse(node.ToString(0).trim().replace(/^'(.*)'$/, '"$1"'));
}

// scalar-data-types/dynamic: what is not there, or not in a map, is null.
function member(value, key) {
  if (!(value instanceof Json)) return stop(`a member of ${typeName(value)}`);
  const inner = value.value;
  if (typeof key === 'number') {
    return new Json(Array.isArray(inner) && key >= 0 ? inner[key] : null);
  }
  const map = inner !== null && typeof inner === 'object' && !Array.isArray(inner);
  return new Json(map && Object.hasOwn(inner, key) ? inner[key] : null);
}

function call(node, row, scope) {
  const name = nameOf(node.Name);
  const parts = items(node.ArgumentList.Expressions);
  const of = (part) => evaluate(part, row, scope);
  switch (name) {
    case 'not': // not-function
      return !truth(of(parts[0]));
    case 'iff': { // iff-function: what is not true is the other
      const chosen = of(parts[0]) === true ? parts[1] : parts[2];
      return of(chosen);
    }
    case 'case': { // case-function: the first that is true, else the last
      for (let i = 0; i + 1 < parts.length; i += 2) {
        if (of(parts[i]) === true) return of(parts[i + 1]);
      }
      return of(parts[parts.length - 1]);
    }
    case 'prev': { // prev-function: null before the first, of text empty
      const before = scope.serial?.rows[scope.serial.at - 1];
      const own = of(parts[0]);
      return before ? evaluate(parts[0], before, scope) : typeof own === 'string' ? '' : null;
    }
    case 'row_cumsum': { // row-cumsum-function, over serialised rows
      scope.serial.sum += of(parts[0]);
      return scope.serial.sum;
    }
    default:
      if (scope.group && aggregates[name]) {
        return aggregates[name](parts, scope.group, { ...scope, group: null });
      }
      if (!functions[name]) return stop(`no function ${name}`);
      return functions[name](...parts.map(of));
  }
}

// toscalar-function: the first column of the first row; null of no row
function toscalar(node, scope) {
  const rows = table(node, scope);
  return rows.length === 0 ? null : Object.values(rows[0])[0];
}

// ---------------------------------------------------------------- aggregation functions

const each = (parts, group, scope) => group.map((row) => evaluate(parts[0], row, scope));
const minimum = (values) => {
  const there = values.filter((value) => value !== null);
  return there.length === 0 ? null : there.reduce((a, b) => (plain(b) < plain(a) ? b : a));
};
const aggregates = {
  count: (_, group) => group.length, // count-aggregation-function
  countif: (parts, group, scope) => each(parts, group, scope).filter((value) => value === true).length, // countif-aggregation-function
  count_distinct: (parts, group, scope) => new Set(each(parts, group, scope).filter((value) => value !== '' && !isNull(value))).size, // count-distinct-aggregation-function
  min: (parts, group, scope) => minimum(each(parts, group, scope)), // min-aggregation-function
  make_list: (parts, group, scope) =>
    new Json(each(parts, group, scope).filter((value) => !isNull(value)).map((value) => (value instanceof Json ? value.value : value))), // make-list-aggregation-function: without nulls
};

const same = (value) => (value instanceof Json ? `j${JSON.stringify(value.value)}` : `${typeName(value)} ${value === null ? '' : plain(value)}`);

// summarize-operator: without `by` one row, even of nothing.
function summarize(node, rows, scope) {
  const by = items(node.ByClause?.Expressions).map((one) => named(one));
  const groups = new Map();
  for (const row of rows) {
    const keys = by.map(({ expression }) => evaluate(expression, row, scope));
    const key = keys.map(same).join('\u0000');
    if (!groups.has(key)) groups.set(key, { keys, rows: [] });
    groups.get(key).rows.push(row);
  }
  if (by.length === 0 && groups.size === 0) groups.set('', { keys: [], rows: [] });
  return [...groups.values()].map(({ keys, rows: group }) => {
    const out = {};
    by.forEach(({ name }, i) => {
      out[name] = keys[i];
    });
    for (const aggregate of items(node.Aggregates)) {
      const { name, expression } = named(aggregate);
      if (kindOf(expression) === 'FunctionCallExpression' && nameOf(expression.Name) === 'arg_min') {
        Object.assign(out, argMin(items(expression.ArgumentList.Expressions), group, scope, out));
      } else {
        out[name ?? `_${Object.keys(out).length}`] = evaluate(expression, null, { ...scope, group });
      }
    }
    return out;
  });
}

// arg-min-aggregation-function: the row of the least value; `*` is every column that the summary does not have
function argMin(parts, group, scope, known) {
  const values = group.map((row) => evaluate(parts[0], row, scope));
  let best = 0;
  values.forEach((value, i) => {
    if (value === null) stop('arg_min of a null');
    if (plain(value) < plain(values[best])) best = i;
  });
  const out = { [nameOf(parts[0])]: values[best] };
  for (const part of parts.slice(1)) {
    if (kindOf(part) === 'StarExpression') {
      for (const [name, value] of Object.entries(group[best])) {
        if (!Object.hasOwn(known, name)) out[name] = value;
      }
    } else {
      out[nameOf(part)] = evaluate(part, group[best], scope);
    }
  }
  return out;
}

function named(node) {
  if (kindOf(node) === 'SimpleNamedExpression') {
    return { name: nameOf(node.Name), expression: node.Expression };
  }
  const name = ['NameReference'].includes(kindOf(node)) ? nameOf(node) : undefined;
  return { name, expression: node };
}

// ---------------------------------------------------------------- tabular operators

function table(node, scope) {
  switch (kindOf(node)) {
    case 'PipeExpression':
      return operator(node.Operator, table(node.Expression, scope), scope);
    case 'ParenthesizedExpression':
      return table(node.Expression, scope);
    case 'NameReference': {
      const name = nameOf(node);
      if (Object.hasOwn(scope.tables, name)) return scope.tables[name];
      return tables[name] ? [] : stop(`there is no table ${name}`);
    }
    default:
      return operator(node, scope.input ?? [], scope);
  }
}

function extended(node, row, scope) {
  const out = { ...row };
  for (const one of items(node.Expressions)) {
    // extend-operator: what is defined in the same operator is not seen yet
    const { name, expression } = named(one);
    out[name] = evaluate(expression, row, scope);
  }
  return out;
}

function operator(node, rows, scope) {
  switch (kindOf(node)) {
    case 'FilterOperator': // where-operator: keeps what is true
      return rows.filter((row) => evaluate(node.Condition, row, scope) === true);
    case 'ExtendOperator': {
      const serial = { rows, at: 0, sum: 0 };
      return rows.map((row, at) => {
        serial.at = at;
        return extended(node, row, { ...scope, serial });
      });
    }
    case 'ProjectOperator': // project-operator
      return rows.map((row) => {
        const out = {};
        for (const one of items(node.Expressions)) {
          const { name, expression } = named(one);
          out[name] = evaluate(expression, row, scope);
        }
        return out;
      });
    case 'SummarizeOperator':
      return summarize(node, rows, scope);
    case 'SortOperator': { // sort-operator
      const by = items(node.Expressions).map((one) => {
        const ascending = kindOf(one) === 'OrderedExpression' && /\basc\b/.test(one.ToString(0));
        return { expression: one.Expression ?? one, ascending };
      });
      const keyed = rows.map((row) => ({ row, keys: by.map(({ expression }) => plain(evaluate(expression, row, scope))) }));
      keyed.sort((a, b) => {
        for (let i = 0; i < by.length; i += 1) {
          if (a.keys[i] !== b.keys[i]) return a.keys[i] < b.keys[i] === by[i].ascending ? -1 : 1;
        }
        return 0;
      });
      return keyed.map(({ row }) => row);
    }
    case 'UnionOperator': // union-operator: all rows of all, of the input too
      return rows.concat(...items(node.Expressions).map((one) => table(one, { ...scope, input: undefined })));
    case 'JoinOperator': { // join-inner: every pair that agrees on the columns
      const other = table(node.Expression, scope);
      const columns = items(node.ConditionClause.Expressions).map(nameOf);
      const key = (row) => columns.map((column) => same(row[column] ?? stop(`no column ${column}`))).join('\u0000');
      return rows.flatMap((row) =>
        other.filter((one) => key(one) === key(row)).map((one) => {
          const out = { ...row };
          for (const [name, value] of Object.entries(one)) {
            out[Object.hasOwn(out, name) ? `${name}1` : name] = value;
          }
          return out;
        }),
      );
    }
    case 'MvExpandOperator': // mv-expand-operator: a row for each element
      return rows.flatMap((row) => expanded(node, items(node.Expressions)[0], row, scope).map(({ own }) => own));
    case 'MvApplyOperator': // mv-apply-operator: the subquery over the elements, each result beside the row
      return rows.flatMap((row) => {
        const input = expanded(node, items(node.Expressions)[0], row, scope).map(({ own }) => own);
        const out = table(node.Subquery.Expression, { ...scope, input });
        return out.map((one) => ({ ...row, ...one }));
      });
    default:
      return stop(`no operator ${kindOf(node)}`);
  }
}

function expanded(node, expression, row, scope) {
  const { name, expression: value } = named(expression.Expression);
  const elements = array(evaluate(value, row, scope));
  if (!elements || elements.length === 0) {
    return stop('mv-expand or mv-apply over nothing');
  }
  const type = expression.ToTypeOf
    ? once(expression.ToTypeOf, (own) => /typeof\((\w+)\)/.exec(own.ToString(0))[1])
    : 'dynamic';
  const convert = { string: (one) => tostring(new Json(one)), long: (one) => tolong(new Json(one)), dynamic: (one) => new Json(one) }[type];
  const parameter = items(node.Parameters)[0];
  return elements.map((element, at) => {
    const own = { ...row, [name]: convert(element) };
    if (parameter) own[nameOf(parameter.Expression)] = at;
    return { own };
  });
}

// ---------------------------------------------------------------- the query

const READ = {
  string: (value) => (value === null || value === undefined ? '' : typeof value === 'string' ? value : stop('a column of text')),
  dynamic: (value) => new Json(value),
  datetime: todatetime,
  real: (value) => value ?? null,
};

function typed(name, row) {
  const out = {};
  for (const [column, type] of Object.entries(tables[name])) {
    out[column] = READ[type](row[column] ?? null);
  }
  return out;
}

function written(value) {
  if (value instanceof Json) return value.value;
  if (value instanceof Moment) return tostring(value);
  return value;
}

exports.run = function run(kusto, syntax, given) {
  if (!kinds) {
    kinds = {};
    for (const [name, number] of Object.entries(kusto.Syntax.SyntaxKind)) {
      if (typeof number === 'number') kinds[number] = name;
    }
  }
  const scope = { tables: {}, scalars: {} };
  for (const [name, rows] of Object.entries(given)) {
    scope.tables[name] = rows.map((row) => typed(name, row));
  }
  let last = [];
  for (const statement of items(syntax.Statements)) {
    if (kindOf(statement) === 'LetStatement') {
      const name = nameOf(statement.Name);
      if (kindOf(statement.Expression) === 'ToScalarExpression') {
        scope.scalars[name] = toscalar(statement.Expression.Expression, scope);
      } else {
        scope.tables[name] = table(statement.Expression, scope);
      }
    } else {
      last = table(statement.Expression, scope);
    }
  }
  return last.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, written(value)])));
};
