"""`hornbill demo`: small trainings on real pictures that come with Hornbill."""

from hornbill.demo.command import *
