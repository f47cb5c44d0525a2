// Reads an iCalendar file from standard input with Mozilla's parser (ical.js, which Thunderbird uses) and prints its
// events as JSON:  node main.js FOLDER-WITH-NODE_MODULES < FILE
const path = require('path');
const fs = require('fs');
const { pathToFileURL } = require('url');

async function main() {
  const file = path.join(process.argv[2], 'node_modules/ical.js/dist/ical.js');
  const { default: ICAL } = await import(pathToFileURL(file));
  ICAL.design.strict = true;
  const calendar = new ICAL.Component(ICAL.parse(fs.readFileSync(0, 'utf8')));
  const events = calendar.getAllSubcomponents('vevent').map((component) => {
    const event = new ICAL.Event(component);
    return {
      uid: event.uid,
      start: event.startDate.toString(),
      end: event.endDate.toString(),
      wholeDay: event.startDate.isDate,
      summary: event.summary,
      description: event.description,
      stamp: component.getFirstPropertyValue('dtstamp').toString(),
      alarms: component
        .getAllSubcomponents('valarm')
        .map((alarm) => alarm.getFirstPropertyValue('trigger').toString()),
    };
  });
  process.stdout.write(JSON.stringify({ version: calendar.getFirstPropertyValue('version'), events }));
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
