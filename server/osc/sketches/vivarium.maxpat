{
 "patcher": {
  "fileversion": 1,
  "appversion": {
   "major": 8,
   "minor": 6,
   "revision": 0,
   "architecture": "x64",
   "modernui": 1
  },
  "classnamespace": "box",
  "rect": [
   80,
   80,
   1100,
   700
  ],
  "bglocked": 0,
  "openinpresentation": 0,
  "default_fontsize": 12.0,
  "default_fontface": 0,
  "default_fontname": "Arial",
  "gridonopen": 1,
  "gridsize": [
   15.0,
   15.0
  ],
  "gridsnaponopen": 1,
  "boxes": [
   {
    "box": {
     "id": "c0",
     "maxclass": "comment",
     "numinlets": 1,
     "numoutlets": 0,
     "patching_rect": [
      30,
      15,
      760,
      22
     ],
     "text": "A room of Vivarium, heard by OSC. npm start -- --osc-out 127.0.0.1:9000 --osc-in 9001. To hear another room, replace garden."
    }
   },
   {
    "box": {
     "id": "in",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      30,
      60,
      136,
      22
     ],
     "text": "udpreceive 9000",
     "outlettype": [
      ""
     ]
    }
   },
   {
    "box": {
     "id": "rv",
     "maxclass": "newobj",
     "numinlets": 9,
     "numoutlets": 9,
     "patching_rect": [
      30,
      95,
      860,
      22
     ],
     "text": "route /vivarium/garden/born /vivarium/garden/wounded /vivarium/garden/died /vivarium/garden/colour /vivarium/garden/load /vivarium/garden/refused /vivarium/garden/departing /vivarium/garden/transformed",
     "outlettype": [
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      "",
      ""
     ]
    }
   },
   {
    "box": {
     "id": "ub",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 5,
     "patching_rect": [
      30,
      140,
      168,
      22
     ],
     "text": "unpack 0 0. 0. 0. s",
     "outlettype": [
      "int",
      "float",
      "float",
      "float",
      ""
     ]
    }
   },
   {
    "box": {
     "id": "sc",
     "maxclass": "newobj",
     "numinlets": 6,
     "numoutlets": 1,
     "patching_rect": [
      30,
      180,
      184,
      22
     ],
     "text": "scale 0. 360. 48. 84.",
     "outlettype": [
      ""
     ]
    }
   },
   {
    "box": {
     "id": "mf",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      30,
      215,
      60,
      22
     ],
     "text": "mtof",
     "outlettype": [
      ""
     ]
    }
   },
   {
    "box": {
     "id": "cy",
     "maxclass": "newobj",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      30,
      250,
      60,
      22
     ],
     "text": "cycle~",
     "outlettype": [
      "signal"
     ]
    }
   },
   {
    "box": {
     "id": "eb",
     "maxclass": "message",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      190,
      215,
      150,
      22
     ],
     "text": "0, 0.25 20 0. 900",
     "outlettype": [
      ""
     ]
    }
   },
   {
    "box": {
     "id": "lb",
     "maxclass": "newobj",
     "numinlets": 2,
     "numoutlets": 2,
     "patching_rect": [
      190,
      250,
      60,
      22
     ],
     "text": "line~",
     "outlettype": [
      "signal",
      "bang"
     ]
    }
   },
   {
    "box": {
     "id": "mb",
     "maxclass": "newobj",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      30,
      290,
      60,
      22
     ],
     "text": "*~",
     "outlettype": [
      "signal"
     ]
    }
   },
   {
    "box": {
     "id": "kd",
     "maxclass": "message",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      350,
      180,
      140,
      22
     ],
     "outlettype": [
      ""
     ],
     "text": ""
    }
   },
   {
    "box": {
     "id": "uw",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      420,
      215,
      40,
      22
     ],
     "text": "t b",
     "outlettype": [
      "bang"
     ]
    }
   },
   {
    "box": {
     "id": "ew",
     "maxclass": "message",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      420,
      250,
      140,
      22
     ],
     "text": "0, 0.15 5 0. 250",
     "outlettype": [
      ""
     ]
    }
   },
   {
    "box": {
     "id": "lw",
     "maxclass": "newobj",
     "numinlets": 2,
     "numoutlets": 2,
     "patching_rect": [
      420,
      290,
      60,
      22
     ],
     "text": "line~",
     "outlettype": [
      "signal",
      "bang"
     ]
    }
   },
   {
    "box": {
     "id": "nz",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      500,
      290,
      60,
      22
     ],
     "text": "noise~",
     "outlettype": [
      "signal"
     ]
    }
   },
   {
    "box": {
     "id": "mw",
     "maxclass": "newobj",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      420,
      330,
      60,
      22
     ],
     "text": "*~",
     "outlettype": [
      "signal"
     ]
    }
   },
   {
    "box": {
     "id": "pd",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 0,
     "patching_rect": [
      600,
      140,
      90,
      22
     ],
     "text": "print died"
    }
   },
   {
    "box": {
     "id": "uc",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 4,
     "patching_rect": [
      600,
      180,
      160,
      22
     ],
     "text": "unpack 0. 0. 0. 0.",
     "outlettype": [
      "float",
      "float",
      "float",
      "float"
     ]
    }
   },
   {
    "box": {
     "id": "pc",
     "maxclass": "newobj",
     "numinlets": 5,
     "numoutlets": 1,
     "patching_rect": [
      600,
      215,
      208,
      22
     ],
     "text": "pack bgcolor 0. 0. 0. 1.",
     "outlettype": [
      ""
     ]
    }
   },
   {
    "box": {
     "id": "pn",
     "maxclass": "panel",
     "numinlets": 1,
     "numoutlets": 0,
     "patching_rect": [
      600,
      250,
      160,
      80
     ]
    }
   },
   {
    "box": {
     "id": "tr",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 2,
     "patching_rect": [
      780,
      180,
      60,
      22
     ],
     "text": "t b f",
     "outlettype": [
      "bang",
      "float"
     ]
    }
   },
   {
    "box": {
     "id": "pl",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      780,
      140,
      90,
      22
     ],
     "text": "prepend set",
     "outlettype": [
      ""
     ]
    }
   },
   {
    "box": {
     "id": "ml",
     "maxclass": "message",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      780,
      215,
      200,
      22
     ],
     "outlettype": [
      ""
     ],
     "text": ""
    }
   },
   {
    "box": {
     "id": "cl",
     "maxclass": "comment",
     "numinlets": 1,
     "numoutlets": 0,
     "patching_rect": [
      780,
      240,
      280,
      22
     ],
     "text": "awake, organisms, people, ticks a second"
    }
   },
   {
    "box": {
     "id": "pr",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 0,
     "patching_rect": [
      900,
      140,
      110,
      22
     ],
     "text": "print refused"
    }
   },
   {
    "box": {
     "id": "ga",
     "maxclass": "newobj",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      30,
      370,
      60,
      22
     ],
     "text": "*~ 0.5",
     "outlettype": [
      "signal"
     ]
    }
   },
   {
    "box": {
     "id": "da",
     "maxclass": "ezdac~",
     "numinlets": 2,
     "numoutlets": 0,
     "patching_rect": [
      30,
      410,
      45,
      45
     ]
    }
   },
   {
    "box": {
     "id": "c1",
     "maxclass": "comment",
     "numinlets": 1,
     "numoutlets": 0,
     "patching_rect": [
      30,
      480,
      200,
      22
     ],
     "text": "Say: click one."
    }
   },
   {
    "box": {
     "id": "s1",
     "maxclass": "message",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      30,
      510,
      230,
      22
     ],
     "text": "/vivarium/garden/plant 64 64",
     "outlettype": [
      ""
     ]
    }
   },
   {
    "box": {
     "id": "s2",
     "maxclass": "message",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      30,
      540,
      290,
      22
     ],
     "text": "/vivarium/garden/plant 192 64 Penguin",
     "outlettype": [
      ""
     ]
    }
   },
   {
    "box": {
     "id": "s3",
     "maxclass": "message",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      30,
      570,
      320,
      22
     ],
     "text": "/vivarium/garden/wound 54. 64. 2. 74. 64.",
     "outlettype": [
      ""
     ]
    }
   },
   {
    "box": {
     "id": "s4",
     "maxclass": "message",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      370,
      510,
      190,
      22
     ],
     "text": "/vivarium/garden/pause 1",
     "outlettype": [
      ""
     ]
    }
   },
   {
    "box": {
     "id": "s5",
     "maxclass": "message",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      370,
      540,
      190,
      22
     ],
     "text": "/vivarium/garden/pause 0",
     "outlettype": [
      ""
     ]
    }
   },
   {
    "box": {
     "id": "out",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 0,
     "patching_rect": [
      30,
      620,
      180,
      22
     ],
     "text": "udpsend 127.0.0.1 9001"
    }
   },
   {
    "box": {
     "id": "ud",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 1,
     "patching_rect": [
      250,
      140,
      40,
      22
     ],
     "text": "t b",
     "outlettype": [
      "bang"
     ]
    }
   },
   {
    "box": {
     "id": "ed",
     "maxclass": "message",
     "numinlets": 2,
     "numoutlets": 1,
     "patching_rect": [
      230,
      180,
      110,
      22
     ],
     "text": "0, 0.1 300 0. 2000",
     "outlettype": [
      ""
     ]
    }
   },
   {
    "box": {
     "id": "ut",
     "maxclass": "newobj",
     "numinlets": 1,
     "numoutlets": 2,
     "patching_rect": [
      310,
      140,
      80,
      22
     ],
     "text": "unpack 0 s",
     "outlettype": [
      "int",
      ""
     ]
    }
   }
  ],
  "lines": [
   {
    "patchline": {
     "source": [
      "in",
      0
     ],
     "destination": [
      "rv",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "rv",
      0
     ],
     "destination": [
      "ub",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "ub",
      3
     ],
     "destination": [
      "sc",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "sc",
      0
     ],
     "destination": [
      "mf",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "mf",
      0
     ],
     "destination": [
      "cy",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "cy",
      0
     ],
     "destination": [
      "mb",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "ub",
      4
     ],
     "destination": [
      "kd",
      1
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "ub",
      0
     ],
     "destination": [
      "eb",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "eb",
      0
     ],
     "destination": [
      "lb",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "lb",
      0
     ],
     "destination": [
      "mb",
      1
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "rv",
      1
     ],
     "destination": [
      "uw",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "uw",
      0
     ],
     "destination": [
      "ew",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "ew",
      0
     ],
     "destination": [
      "lw",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "lw",
      0
     ],
     "destination": [
      "mw",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "nz",
      0
     ],
     "destination": [
      "mw",
      1
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "rv",
      2
     ],
     "destination": [
      "pd",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "rv",
      3
     ],
     "destination": [
      "uc",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "uc",
      2
     ],
     "destination": [
      "pc",
      3
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "uc",
      1
     ],
     "destination": [
      "pc",
      2
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "uc",
      0
     ],
     "destination": [
      "tr",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "tr",
      1
     ],
     "destination": [
      "pc",
      1
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "tr",
      0
     ],
     "destination": [
      "pc",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "pc",
      0
     ],
     "destination": [
      "pn",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "rv",
      4
     ],
     "destination": [
      "pl",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "pl",
      0
     ],
     "destination": [
      "ml",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "rv",
      5
     ],
     "destination": [
      "pr",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "mb",
      0
     ],
     "destination": [
      "ga",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "mw",
      0
     ],
     "destination": [
      "ga",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "ga",
      0
     ],
     "destination": [
      "da",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "ga",
      0
     ],
     "destination": [
      "da",
      1
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "s1",
      0
     ],
     "destination": [
      "out",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "s2",
      0
     ],
     "destination": [
      "out",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "s3",
      0
     ],
     "destination": [
      "out",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "s4",
      0
     ],
     "destination": [
      "out",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "s5",
      0
     ],
     "destination": [
      "out",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "rv",
      6
     ],
     "destination": [
      "ud",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "ud",
      0
     ],
     "destination": [
      "ed",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "ed",
      0
     ],
     "destination": [
      "lb",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "rv",
      7
     ],
     "destination": [
      "ut",
      0
     ]
    }
   },
   {
    "patchline": {
     "source": [
      "ut",
      1
     ],
     "destination": [
      "kd",
      1
     ]
    }
   }
  ]
 }
}
