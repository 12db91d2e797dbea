# Receives the OSC messages of a Vivarium room: callbacks of an OSC In DAT in TouchDesigner. See README.md in this
# folder. The project needs these operators:
#
# oscin1    OSC In DAT, port 9000, "Split Bundle into Messages" on, with this text as its callbacks
# oscout1   OSC Out DAT, network address 127.0.0.1, port 9001
# organisms Table DAT, empty; filled with the columns number, x, y, hue, kind, state
# room      Constant CHOP with the channels red, green, blue, living, awake, organisms, people, rate

ROOM = 'garden'
HEAD = ['number', 'x', 'y', 'hue', 'kind', 'state']


def onReceiveOSC(dat, rowIndex, message, byteData, timeStamp, address, args, peer):
    parts = address.split('/')
    if parts[:3] != ['', 'vivarium', ROOM] or len(parts) != 4:
        return
    what = parts[3]
    table = op('organisms')
    if table.numRows == 0:
        table.appendRow(HEAD)
    if what == 'colour':
        show(['red', 'green', 'blue', 'living'], args)
    elif what == 'load':
        show(['awake', 'organisms', 'people', 'rate'], args)
    elif what == 'born':
        table.appendRow(list(args) + ['growing'])
    elif what == 'died':
        if table.row(str(args[0])):
            table.deleteRow(str(args[0]))
    elif what == 'transformed':
        if table.row(str(args[0])):
            table[str(args[0]), 'kind'] = args[1]
            table[str(args[0]), 'state'] = what
    elif what in ('grown', 'wounded', 'healed', 'expressing', 'departing', 'renewed'):
        if table.row(str(args[0])):
            table[str(args[0]), 'state'] = what
    elif what == 'refused':
        debug('Vivarium refused', args[0], 'because', args[1])


def show(names, values):
    """Sets the named channels of the Constant CHOP."""
    room = op('room')
    for block in room.seq.const:
        if block.par.name.eval() in names:
            block.par.value = values[names.index(block.par.name.eval())]


# Call these functions from the callbacks of a Button or a Panel Execute DAT, for example:
#   mod('oscin1_callbacks').plant(128, 128, 'Penguin')

def plant(x, y, kind=None):
    """Plants at cell (x, y). kind: name or index of a gallery creature; None for a random creature."""
    op('oscout1').sendOSC('/vivarium/' + ROOM + '/plant', [x, y] + ([] if kind is None else [kind]))


def wound(points, radius=2.0):
    """Wounds along the line [x, y, x2, y2, ...]. radius: in cells."""
    op('oscout1').sendOSC('/vivarium/' + ROOM + '/wound', list(points[:2]) + [radius] + list(points[2:]))


def pause(paused):
    op('oscout1').sendOSC('/vivarium/' + ROOM + '/pause', [int(paused)])
