// Shows a room of Vivarium from its OSC messages. Needs Processing 4 with oscP5; see README.md in this folder.
import netP5.*;
import oscP5.*;
import java.util.concurrent.ConcurrentHashMap;

final String ROOM = "garden";
final int HEAR = 9000;
final int SAY = 9001;

OscP5 osc;
NetAddress vivarium;
float cellsWide = 256;
float cellsHigh = 256;
volatile int background = 0xff0a0c0e;
volatile String load = "";
// Organisms by id. The map is concurrent because oscP5 calls oscEvent in another thread.
ConcurrentHashMap<Integer, Organism> organisms = new ConcurrentHashMap<Integer, Organism>();

class Organism {
  final float x, y, hue;
  volatile String kind;
  volatile float size = 2;
  volatile float full = 16;
  volatile float pain = 0;
  volatile boolean dead = false;
  volatile boolean departing = false;
  volatile float turn = 0;

  Organism(float x, float y, float hue, String kind) {
    this.x = x;
    this.y = y;
    this.hue = hue;
    this.kind = kind;
  }
}

void setup() {
  size(900, 900);
  colorMode(HSB, 360, 1, 1, 1);
  textAlign(CENTER);
  osc = new OscP5(this, HEAR);
  vivarium = new NetAddress("127.0.0.1", SAY);
}

void oscEvent(OscMessage message) {
  String prefix = "/vivarium/" + ROOM + "/";
  if (!message.addrPattern().startsWith(prefix)) return;
  String what = message.addrPattern().substring(prefix.length());
  if (what.equals("size")) {
    cellsWide = message.get(0).intValue();
    cellsHigh = message.get(1).intValue();
  } else if (what.equals("colour")) {
    int red = round(90 * message.get(0).floatValue());
    int green = round(90 * message.get(1).floatValue());
    int blue = round(90 * message.get(2).floatValue());
    background = 0xff000000 | red << 16 | green << 8 | blue;
  } else if (what.equals("load")) {
    load = message.get(1).intValue() + " organisms, " + message.get(2).intValue() + " people, "
      + nf(message.get(3).floatValue(), 0, 1) + " ticks a second";
  } else if (what.equals("born")) {
    organisms.put(message.get(0).intValue(), new Organism(message.get(1).floatValue(),
      message.get(2).floatValue(), message.get(3).floatValue(), message.get(4).stringValue()));
  } else if (what.equals("refused")) {
    println(message.get(0).stringValue() + " was refused: " + message.get(1).stringValue());
  } else {
    Organism one = organisms.get(message.get(0).intValue());
    // Ignore organisms that were born before this sketch started.
    if (one == null) return;
    if (what.equals("grown")) one.full = 28;
    else if (what.equals("wounded")) one.pain = 1;
    else if (what.equals("healed")) one.pain = 0;
    else if (what.equals("expressing")) one.turn = 1;
    else if (what.equals("transformed")) one.kind = message.get(1).stringValue();
    else if (what.equals("departing")) one.departing = true;
    else if (what.equals("renewed")) one.departing = false;
    else if (what.equals("died")) one.dead = true;
  }
}

void draw() {
  background(background);
  noStroke();
  float scale = min(width / cellsWide, height / cellsHigh);
  for (Integer number : organisms.keySet()) {
    Organism one = organisms.get(number);
    one.size += ((one.dead ? 0 : one.full) - one.size) * 0.05;
    one.pain *= 0.98;
    one.turn *= 0.99;
    if (one.dead && one.size < 0.5) organisms.remove(number);
    fill((one.hue + 60 * one.turn) % 360, 0.5 - 0.4 * one.pain, 0.9, one.dead || one.departing ? 0.3 : 0.9);
    circle(one.x * scale, one.y * scale, one.size * scale * (1 + 0.2 * one.pain * sin(frameCount)));
    fill(0, 0, 1, 0.7);
    text(one.kind, one.x * scale, (one.y + 18) * scale);
  }
  fill(0, 0, 1, 0.7);
  text(load, width / 2, height - 16);
}

OscMessage to(String what) {
  return new OscMessage("/vivarium/" + ROOM + "/" + what);
}

float cell(float pixels) {
  return pixels / min(width / cellsWide, height / cellsHigh);
}

void mouseClicked() {
  OscMessage plant = to("plant");
  plant.add(cell(mouseX));
  plant.add(cell(mouseY));
  osc.send(plant, vivarium);
}

void mouseDragged() {
  OscMessage wound = to("wound");
  wound.add(cell(pmouseX));
  wound.add(cell(pmouseY));
  wound.add(2.0);
  wound.add(cell(mouseX));
  wound.add(cell(mouseY));
  osc.send(wound, vivarium);
}

void keyPressed() {
  if (key != 'p' && key != 'r') return;
  OscMessage pause = to("pause");
  pause.add(key == 'p' ? 1 : 0);
  osc.send(pause, vivarium);
}
